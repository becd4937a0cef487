from typing import Any

import httpx


async def visit(app: Any, name: str) -> Any:
    transport = httpx.ASGITransport(app.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        return (await client.post("/chat", params={"text": f"{name}'s line"})).json()
