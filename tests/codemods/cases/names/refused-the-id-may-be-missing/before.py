from fastapi import FastAPI

app = FastAPI()
parts: list[str] = []


@app.post("/say")
async def say(text: str, session_id: str | None = None) -> list[str]:
    parts.append(text)
    return parts
