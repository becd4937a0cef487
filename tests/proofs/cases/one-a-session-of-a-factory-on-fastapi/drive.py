from typing import Any

import httpx


async def visit(app: Any, name: str) -> Any:
    transport = httpx.ASGITransport(app.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        await client.post(f"/say/{name}", params={"text": f"{name}'s line"})
        return (await client.get(f"/lines/{name}")).json()
