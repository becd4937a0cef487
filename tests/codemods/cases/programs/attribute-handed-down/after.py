from fastapi import FastAPI

app = FastAPI()


class Desk:
    def __init__(self) -> None:
        pass


desk = Desk()


@app.post("/ask")
async def ask(question: str) -> str:
    await answer(question)
    return question


async def answer(question: str) -> None:
    print(question)
