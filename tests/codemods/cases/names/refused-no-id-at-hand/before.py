from fastapi import FastAPI

app = FastAPI()
parts: list[str] = []


@app.post("/say/{session_id}")
async def say(session_id: str, text: str) -> str:
    parts.append(text)
    return session_id


@app.get("/all")
async def show() -> list[str]:
    return parts
