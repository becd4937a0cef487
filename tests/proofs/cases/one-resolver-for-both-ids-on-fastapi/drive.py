from typing import Any

import httpx


async def visit(app: Any, name: str) -> Any:
    transport = httpx.ASGITransport(app.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        body = {"stream": {"stream_id": f"{name}'s stream", "session_id": ""}, "options": {"session_id": name}}
        return (await client.post("/cancel", json=body)).json()
