# fix: Send `X-Request-ID` in `headers`
# rule: id-not-sent
# shows: no id
import httpx
from fastapi import FastAPI
from turns import pause

app = FastAPI()


def answer(asked: httpx.Request) -> httpx.Response:
    return httpx.Response(200, text=asked.headers.get("X-Request-ID", "nobody"))


class Provider:
    def __init__(self, http: httpx.AsyncClient) -> None:
        self.http = http

    async def models(self, request_id: str) -> str:
        return (await self.http.get("/models", headers={"X-Request-ID": request_id})).text

    async def ask(self, prompt: str, request_id: str) -> str:
        answered = await self.http.post("/ask", json={"prompt": prompt}, headers={"Accept": "text/plain"})
        return answered.text


provider = Provider(httpx.AsyncClient(transport=httpx.MockTransport(answer), base_url="https://models.test"))


@app.get("/models")
async def models(request_id: str) -> str:
    return await provider.models(request_id)


@app.post("/ask")
async def ask(prompt: str, request_id: str) -> str:
    await pause()
    return await provider.ask(prompt, request_id)
