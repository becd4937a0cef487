# fix: Return `_last`
# rule: shared-attribute-write
from fastapi import FastAPI
from turns import pause

app = FastAPI()


class Assistant:
    def __init__(self) -> None:
        self._last = ""

    async def think(self, user: str) -> None:
        await pause()
        self._last = f"an answer for {user}"


assistant = Assistant()


@app.get("/greet")
async def greet(user: str) -> str:
    await assistant.think(user)
    await pause()
    return assistant._last
