from fastapi import FastAPI
from somewhere import Model

app = FastAPI()


class Desk(Model):
    def __init__(self) -> None:
        self.question = ""


desk = Desk()


@app.post("/ask")
async def ask(question: str) -> str:
    desk.question = question
    await answer()
    return desk.question


async def answer() -> None: ...
