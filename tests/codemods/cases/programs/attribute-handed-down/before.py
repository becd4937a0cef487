from fastapi import FastAPI

app = FastAPI()


class Desk:
    def __init__(self) -> None:
        self.question = ""


desk = Desk()


@app.post("/ask")
async def ask(question: str) -> str:
    desk.question = question
    await answer()
    return desk.question


async def answer() -> None:
    print(desk.question)
