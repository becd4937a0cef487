# fix: Make a new `[]` for each context
# rule: contextvar-misuse
from contextvars import ContextVar

from fastapi import FastAPI
from turns import pause

app = FastAPI()
notes: ContextVar[list[str]] = ContextVar("notes", default=[])


@app.get("/notes")
async def add(text: str) -> list[str]:
    notes.get().append(text)
    await pause()
    return notes.get()
