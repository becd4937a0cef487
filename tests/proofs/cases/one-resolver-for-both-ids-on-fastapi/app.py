# fix: Take `session_id` from `resolve_session_id(options)` in both places
# rule: split-identity
from contextvars import ContextVar
from dataclasses import dataclass

from fastapi import FastAPI
from turns import pause

app = FastAPI()
ambient: ContextVar[str] = ContextVar("session", default="")
sent: dict[str, list[str]] = {}


@dataclass
class Stream:
    stream_id: str
    session_id: str


def resolve_session_id(options: dict[str, str]) -> str:
    return options.get("session_id") or ambient.get()


def send(payload: dict[str, str], route: dict[str, str]) -> list[str]:
    kept = sent.setdefault(payload["session_id"], [])
    kept.append(f"{payload['stream_id']} to {route['session_id']}")
    return kept


@app.post("/cancel")
async def cancel(stream: Stream, options: dict[str, str]) -> list[str]:
    payload = {"stream_id": stream.stream_id, "session_id": stream.session_id}
    route = {"session_id": resolve_session_id(options)}
    kept = send(payload, route)
    await pause()
    return kept


@app.delete("/cancel")
async def forget(session_id: str) -> None:
    sent.pop(session_id, None)
