from copy import deepcopy

from fastapi import FastAPI

app = FastAPI()
first_lines = [
    {"role": "system", "content": "You are brief."},  # for all
]
lines = {}


@app.post("/say/{session_id}")
async def say(session_id: str, text: str) -> int:
    if session_id not in lines and len(lines) >= 1000:
        del lines[next(iter(lines))]
    lines.setdefault(session_id, deepcopy(first_lines)).append({"role": "user", "content": text})
    return len(lines.get(session_id, deepcopy(first_lines)))


@app.post("/forget/{session_id}")
async def start(session_id: str) -> None:
    if session_id not in lines and len(lines) >= 1000:
        del lines[next(iter(lines))]
    lines[session_id] = []


@app.get("/lines/{session_id}")
async def start(session_id: str) -> list:
    return [line["content"] for line in lines.get(session_id, deepcopy(first_lines))]
