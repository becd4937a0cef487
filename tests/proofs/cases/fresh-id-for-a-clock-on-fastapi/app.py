# fix: Make a fresh id
# rule: colliding-session-id
import time

from fastapi import FastAPI
from turns import pause

app = FastAPI()
histories: dict[str, list[str]] = {}


@app.post("/chat")
async def chat(text: str) -> list[str]:
    session_id = f"chat_{time.strftime('%Y')}"
    histories.setdefault(session_id, []).append(text)
    await pause()
    return histories[session_id]


@app.delete("/chat/{session_id}")
async def forget(session_id: str) -> None:
    histories.pop(session_id, None)
