# fix: Hand `user` down as an argument
# rule: shared-attribute-write
from fastapi import FastAPI

from desk import desk

app = FastAPI()


@app.get("/greet")
async def greet(user: str) -> str:
    return await desk.greet(user)
