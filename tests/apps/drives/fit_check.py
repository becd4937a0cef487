"""Interleaved candidates at the fit check service: each scenario returns what the two of them saw."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
from drive import play
from server import create_app
from services.llm import OfflineModel

Gate = Callable[[], Awaitable[None]]


class GatedModel(OfflineModel):
    """The offline model; the first prompt about a company waits at that company's gate."""

    def __init__(self, gates: dict[str, Gate]) -> None:
        self._gates = dict(gates)

    async def complete(self, prompt: str, model_id: str) -> str:
        for company in list(self._gates):
            if company in prompt:
                await self._gates.pop(company)()
        return await super().complete(prompt, model_id)


def client(gates: dict[str, Gate] | None = None) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app=create_app(model=GatedModel(gates or {})))
    return httpx.AsyncClient(transport=transport, base_url="http://fit-check")


async def alone() -> Any:
    """One candidate uses every route."""
    async with client() as http:
        stream = await http.post("/api/fit-check/stream", json={"query": "Initech engineer", "session_id": "alone"})
        answer = await http.post("/api/fit-check/analyze", json={"query": "Initech engineer", "language": "de"})
        await http.put("/api/profile", json={"headline": "Engineer"}, headers={"X-User": "Ann"})
        return {
            "events": events_of(stream),
            "answer": answer.json()["answer"],
            "history": (await http.get("/api/fit-check/history")).json(),
            "keywords": (await http.post("/api/fit-check/keywords", json={"text": "Python and SQL, python"})).json(),
            "profile": (await http.get("/api/profile", headers={"X-User": "Ann"})).json(),
            "greeting": (await http.get("/api/profile/greeting", headers={"X-User": "Ann"})).json(),
            "graph": (await http.get("/api/fit-check/graph")).json(),
            "cancelled": (await http.post("/api/fit-check/alone/cancel")).json(),
            "health": (await http.get("/health")).json(),
        }


async def streams() -> Any:
    """Globex's stream begins while Initech's waits for the model, and goes on when Initech's has ended."""
    ann_waits, bob_waits, ann_ended = asyncio.Event(), asyncio.Event(), asyncio.Event()
    gates = {"Initech": meet(ann_waits, bob_waits), "Globex": meet(bob_waits, ann_ended)}
    async with client(gates) as http:
        ann = asyncio.create_task(http.post("/api/fit-check/stream", json={"query": "Initech engineer"}))
        await ann_waits.wait()
        bob = asyncio.create_task(http.post("/api/fit-check/stream", json={"query": "Globex analyst"}))
        ann_saw = events_of(await ann)
        ann_ended.set()
        return {"ann": ann_saw, "bob": events_of(await bob)}


async def analysis_during_stream() -> Any:
    """Globex is analysed in one piece while Initech's stream waits for the model."""
    ann_waits, bob_answered = asyncio.Event(), asyncio.Event()
    async with client({"Initech": meet(ann_waits, bob_answered)}) as http:
        ann = asyncio.create_task(http.post("/api/fit-check/stream", json={"query": "Initech engineer"}))
        await ann_waits.wait()
        bob = await http.post("/api/fit-check/analyze", json={"query": "Globex analyst"})
        bob_answered.set()
        return {"ann": events_of(await ann), "bob": bob.json()["answer"]}


async def languages() -> Any:
    """Ann asks in German; Bob asks in French while Ann's check waits for the model."""
    ann_waits, bob_answered = asyncio.Event(), asyncio.Event()
    async with client({"Initech": meet(ann_waits, bob_answered)}) as http:
        ann = asyncio.create_task(
            http.post("/api/fit-check/analyze", json={"query": "Initech engineer", "language": "de"})
        )
        await ann_waits.wait()
        bob = await http.post("/api/fit-check/analyze", json={"query": "Globex analyst", "language": "fr"})
        bob_answered.set()
        return {"ann": (await ann).json()["answer"], "bob": bob.json()["answer"]}


async def visits() -> Any:
    """Ann does everything first; Bob then looks at what is his."""
    async with client() as http:
        ann, bob = {"X-User": "Ann"}, {"X-User": "Bob"}
        await http.put("/api/profile", json={"headline": "Engineer"}, headers=ann)
        await http.post("/api/fit-check/analyze", json={"query": "Initech engineer"}, headers=ann)
        await http.post("/api/fit-check/keywords", json={"text": "Fortran"}, headers=ann)
        words = await http.post("/api/fit-check/keywords", json={"text": "Python and SQL"}, params={"min_length": 3})
        return {
            "keywords": words.json()["keywords"],
            "history": [line["query"] for line in (await http.get("/api/fit-check/history", headers=bob)).json()],
            "greeting": (await http.get("/api/profile/greeting", headers=bob)).json()["greeting"],
            "profile": (await http.get("/api/profile", headers=bob)).json(),
        }


def meet(arrived: asyncio.Event, other: asyncio.Event) -> Gate:
    """A gate that announces who arrives and opens when the other has arrived."""

    async def gate() -> None:
        arrived.set()
        await other.wait()

    return gate


def events_of(response: httpx.Response) -> list[list[Any]]:
    """The server-sent events of a response: name and data, without the time taken."""
    blocks = [block.split("\n", 1) for block in response.text.strip().split("\n\n")]
    pairs = [(event.removeprefix("event: "), json.loads(data.removeprefix("data: "))) for event, data in blocks]
    return [[event, {key: value for key, value in data.items() if key != "seconds"}] for event, data in pairs]


if __name__ == "__main__":
    play(
        {
            "alone": alone,
            "streams": streams,
            "analysis_during_stream": analysis_during_stream,
            "languages": languages,
            "visits": visits,
        }
    )
