"""Two callers of one API key at the gateway: each scenario returns what they and the provider saw."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
from drive import play
from llm_gateway.config import Settings
from llm_gateway.fake_provider import FakeProvider, at_once
from llm_gateway.main import create_app

Think = Callable[[str], Awaitable[None]]
CHAT, EMBEDDINGS = "/v1/chat/completions", "/v1/embeddings"


class Wire:
    """The fake provider, with notes of the requests that reach it."""

    def __init__(self, think: Think = at_once, opening: Callable[[], Awaitable[None]] | None = None) -> None:
        self.sent: list[dict[str, str | None]] = []
        self._provider = FakeProvider(think).asgi()
        self._opening = opening

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        ids = {name: headers.get(f"x-{name}-id") for name in ("session", "request", "model")}
        self.sent.append({"path": scope["path"], **ids})
        if self._opening and scope["path"] == "/v1/sessions":
            await self._opening()
        await self._provider(scope, receive, send)

    def ids(self, path: str, kind: str) -> list[str | None]:
        """The ids of a kind that were sent to a path."""
        return [request[kind] for request in self.sent if request["path"] == path]


def gateway(wire: Wire) -> httpx.AsyncClient:
    app = create_app(Settings(), transport=httpx.ASGITransport(app=wire))
    transport = httpx.ASGITransport(app=app)
    return httpx.AsyncClient(transport=transport, base_url="http://gateway", headers={"Authorization": "Bearer sk-red"})


async def alone() -> Any:
    """One caller uses every route."""
    async with gateway(Wire()) as http:
        answer = await ask(http, "ann-1", "dogs")
        vectors = await http.post(EMBEDDINGS, json={"input": ["abc"]}, headers={"X-Request-ID": "ann-3"})
        stranger = await http.get("/v1/requests", headers={"Authorization": "Bearer sk-none"})
        return {
            "answer": answer,
            "stream": await ask_for_stream(http, "ann-2", "dogs"),
            "vectors": vectors.json(),
            "models": (await http.get("/v1/models")).json()["data"],
            "running": (await http.get("/v1/requests")).json()["data"],
            "closed": [(await http.delete("/v1/session")).json()["closed"] for _ in range(2)],
            "stranger": stranger.status_code,
            "unknown_model": (await http.post(CHAT, json={"model": "x", "messages": [{"content": "a"}]})).status_code,
        }


async def answers() -> Any:
    """Bob asks while Ann's question is being thought about, and his is thought through first."""
    return await interleave(ask)


async def streams() -> Any:
    """The same with streamed answers."""
    return await interleave(ask_for_stream)


async def models() -> Any:
    """Ann opens the session with one model, Bob asks another one, for an answer and for vectors."""
    async with gateway(Wire()) as http:
        ann = await ask(http, "ann-1", "dogs", model="llama-3-8b")
        bob = await ask(http, "bob-1", "quantum", model="mistral-7b")
        vectors = await http.post(EMBEDDINGS, json={"input": ["abc"], "model": "bge-small"})
        return {"ann": ann, "bob": bob, "vectors": vectors.json()["data"]}


async def first_requests() -> Any:
    """Ann and Bob are the first to use their key, both at once."""

    async def opening() -> None:
        for _ in range(200):  # others go on while a session is opened
            await asyncio.sleep(0)

    wire = Wire(opening=opening)
    async with gateway(wire) as http:
        await asyncio.gather(ask(http, "ann-1", "dogs"), ask(http, "bob-1", "quantum"))
    return {"sessions": len(wire.ids("/v1/sessions", "request"))}


async def first_stream() -> Any:
    """Ann's stream opens the session of her key."""
    wire = Wire()
    async with gateway(wire) as http:
        await ask_for_stream(http, "ann-1", "dogs")
    return {"requests": wire.ids("/v1/sessions", "request")}


async def interleave(ask_for: Callable[[httpx.AsyncClient, str, str], Awaitable[Any]]) -> Any:
    ann_thinks, bob_thought = asyncio.Event(), asyncio.Event()

    async def think(prompt: str) -> None:
        if prompt == "dogs":
            ann_thinks.set()
            await bob_thought.wait()
        if prompt == "quantum":
            bob_thought.set()

    wire = Wire(think)
    async with gateway(wire) as http:
        await ask(http, "ann-0", "hello")
        ann = asyncio.ensure_future(ask_for(http, "ann-1", "dogs"))
        await ann_thinks.wait()
        bob = await ask_for(http, "bob-1", "quantum")
        seen = {"ann": await ann, "bob": bob}
    sessions = wire.ids(CHAT, "session")[1:]
    return {**seen, "requests": wire.ids(CHAT, "request")[1:], "sessions": len(set(sessions))}


async def ask(http: httpx.AsyncClient, request_id: str, prompt: str, model: str | None = None) -> Any:
    body = {"messages": [{"content": prompt}], "model": model}
    response = await http.post(CHAT, json=body, headers={"X-Request-ID": request_id})
    answer = response.json()
    return {"id": response.headers["X-Request-ID"], "model": answer["model"], "content": answer["content"]}


async def ask_for_stream(http: httpx.AsyncClient, request_id: str, prompt: str) -> Any:
    body = {"messages": [{"content": prompt}], "stream": True}
    response = await http.post(CHAT, json=body, headers={"X-Request-ID": request_id})
    *events, done = response.text.strip().split("\n\n")
    assert done == "data: [DONE]"
    chunks = [json.loads(event.removeprefix("data: ")) for event in events]
    return {"id": chunks[0]["id"], "content": " ".join(chunk["content"] for chunk in chunks)}


if __name__ == "__main__":
    play(
        {
            "alone": alone,
            "answers": answers,
            "streams": streams,
            "models": models,
            "first_requests": first_requests,
            "first_stream": first_stream,
        }
    )
