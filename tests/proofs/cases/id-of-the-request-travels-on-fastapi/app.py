# fix: Use `request_id`
# rule: id-regenerated
# shows: no id
from uuid import uuid4

import httpx
from fastapi import FastAPI
from turns import pause

app = FastAPI()


def answer(asked: httpx.Request) -> httpx.Response:
    known = asked.headers["X-Request-ID"]
    return httpx.Response(200, text=known if len(known) < 10 else "somebody")


@app.get("/ask")
async def ask(text: str, request_id: str) -> str:
    await pause()
    async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as client:
        reply = await client.post("https://model.test", json={"text": text}, headers={"X-Request-ID": str(uuid4())})
    return reply.text
