# fix: Make a fresh id
# rule: constant-id-fallback
from fastapi import FastAPI, Request
from turns import pause

app = FastAPI()
histories: dict[str, list[str]] = {}


@app.post("/chat")
async def chat(text: str, request: Request) -> list[str]:
    session_id = request.headers.get("X-Session-Id") or "default"
    histories.setdefault(session_id, []).append(text)
    await pause()
    return histories[session_id]


@app.delete("/chat/{session_id}")
async def forget(session_id: str) -> None:
    histories.pop(session_id, None)
