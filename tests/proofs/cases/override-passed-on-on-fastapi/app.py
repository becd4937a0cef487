# fix: Pass `session_id=session_id`
# rule: ignored-override
from fastapi import FastAPI
from turns import pause

app = FastAPI()
notes: dict[str, list[str]] = {}


def load(name: str, session_id: str | None = None) -> list[str]:
    return notes.setdefault(f"{session_id}/{name}", [])


def describe(name: str, session_id: str | None = None) -> str:
    return ", ".join(load(name))


def note(name: str, text: str, session_id: str | None = None) -> None:
    load(name).append(text)


@app.post("/notes/{name}")
async def write_note(name: str, text: str, session_id: str) -> str:
    note(name, text, session_id=session_id)
    await pause()
    return describe(name, session_id=session_id)


@app.delete("/notes/{name}")
async def forget(name: str, session_id: str) -> None:
    notes.pop(f"{session_id}/{name}", None)
