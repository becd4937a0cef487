# fix: Make `session_id` inside of the function
# rule: import-time-session-id
import uuid

from fastapi import FastAPI
from turns import pause

app = FastAPI()
histories: dict[str, list[str]] = {}


async def remember(text: str, session_id: str = str(uuid.uuid4())) -> list[str]:
    histories.setdefault(session_id, []).append(text)
    await pause()
    return histories[session_id]


@app.post("/chat")
async def chat(text: str) -> list[str]:
    return await remember(text)


@app.delete("/chat/{session_id}")
async def forget(session_id: str) -> None:
    histories.pop(session_id, None)
