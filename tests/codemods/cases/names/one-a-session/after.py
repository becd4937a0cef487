from fastapi import FastAPI

app = FastAPI()
parts: dict[str, list[str]] = {}  # said so far


@app.post("/say/{session_id}")
async def say(session_id: str, text: str) -> list[str]:
    if session_id not in parts and len(parts) >= 1000:
        del parts[next(iter(parts))]
    if text:
        parts.setdefault(session_id, []).append(text)  # keep it
    return show(session_id)


def show(session_id: str) -> list[str]:
    return [part.upper() for part in parts.get(session_id, []) if parts.get(session_id, [])[0]]


@app.post("/forget/{session_id}")
async def forget(session_id: str) -> None:
    parts.pop(session_id, None)
