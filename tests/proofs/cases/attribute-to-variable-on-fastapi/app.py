# fix: Make `question` a variable of the function
# rule: shared-attribute-write
from fastapi import FastAPI
from turns import pause

app = FastAPI()


class Desk:
    def __init__(self) -> None:
        self.name = "desk"
        self.question = ""


desk = Desk()


@app.get("/ask")
async def ask(user: str) -> str:
    desk.question = f"what {user} wants"
    await pause()
    return f"{desk.name}: {desk.question}"
