from fastapi import FastAPI

app = FastAPI()


class Desk:
    """Where questions are asked."""

    def __init__(self) -> None:
        pass  # asked last


desk = Desk()


@app.post("/ask")
async def ask(question: str, again: bool) -> list[str]:
    request_question = question.strip()  # without blanks
    if again:
        request_question = "again: " + request_question
    await answer()
    return [request_question for _ in range(2)]


async def answer() -> None: ...
