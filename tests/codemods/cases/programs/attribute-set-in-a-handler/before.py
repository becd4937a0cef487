from fastapi import FastAPI

app = FastAPI()


class Desk:
    """Where questions are asked."""

    def __init__(self) -> None:
        self.question: str | None = None  # asked last


desk = Desk()


@app.post("/ask")
async def ask(question: str, again: bool) -> list[str]:
    desk.question = question.strip()  # without blanks
    if again:
        desk.question = "again: " + desk.question
    await answer()
    return [desk.question for _ in range(2)]


async def answer() -> None: ...
