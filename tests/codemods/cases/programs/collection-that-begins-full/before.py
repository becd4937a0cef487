from fastapi import FastAPI

app = FastAPI()
lines = [
    {"role": "system", "content": "You are brief."},  # for all
]


@app.post("/say/{session_id}")
async def say(session_id: str, text: str) -> int:
    lines.append({"role": "user", "content": text})
    return len(lines)


@app.post("/forget/{session_id}")
async def start(session_id: str) -> None:
    global lines
    lines = []


@app.get("/lines/{session_id}")
async def start(session_id: str) -> list:
    return [line["content"] for line in lines]
