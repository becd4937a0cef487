# fix: Use `session_id`
# rule: constant-session-id
from fastapi import FastAPI
from turns import pause

app = FastAPI()
histories: dict[str, list[str]] = {}


def history(session_id: str) -> list[str]:
    return histories.setdefault(session_id, [])


@app.post("/chat/{session_id}")
async def chat(session_id: str, text: str) -> list[str]:
    history("default").append(text)
    await pause()
    return history("default")


@app.delete("/chat/{session_id}")
async def forget(session_id: str) -> None:
    histories.pop(session_id, None)
