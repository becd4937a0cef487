from fastapi import FastAPI

app = FastAPI()
parts: list[str] = []  # said so far


@app.post("/say/{session_id}")
async def say(session_id: str, text: str) -> list[str]:
    if text:
        parts.append(text)  # keep it
    return show(session_id)


def show(session_id: str) -> list[str]:
    return [part.upper() for part in parts if parts[0]]


@app.post("/forget/{session_id}")
async def forget(session_id: str) -> None:
    parts.clear()
