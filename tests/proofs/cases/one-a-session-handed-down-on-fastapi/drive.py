from typing import Any

import httpx


async def visit(app: Any, name: str) -> str:
    transport = httpx.ASGITransport(app.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        for line in (f"{name} is here", f"{name} is leaving"):
            reply = await client.get("/say", params={"session_id": f"{name}-1", "text": line})
    return reply.text
