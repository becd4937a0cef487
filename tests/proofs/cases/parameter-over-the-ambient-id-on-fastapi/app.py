# fix: Use `session_id`
# rule: ambient-over-override
from contextvars import ContextVar

from fastapi import FastAPI
from turns import pause

app = FastAPI()
ambient: ContextVar[str] = ContextVar("session", default="")
stored: dict[str, list[str]] = {}


def current_session_id() -> str:
    return ambient.get()


def payload(note: str, session_id: str) -> dict[str, str]:
    return {"note": note, "session_id": current_session_id()}


def store(record: dict[str, str]) -> list[str]:
    kept = stored.setdefault(record["session_id"], [])
    kept.append(record["note"])
    return kept


@app.post("/notes")
async def add(note: str, session_id: str) -> list[str]:
    kept = store(payload(note, session_id))
    await pause()
    return kept


@app.delete("/notes")
async def forget(session_id: str) -> None:
    stored.pop(session_id, None)
