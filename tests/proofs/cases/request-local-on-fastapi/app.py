# fix: Keep `user` in a request-local variable
# rule: shared-attribute-write
from fastapi import FastAPI
from turns import pause

app = FastAPI()


class Greeter:
    def __init__(self) -> None:
        self.user = ""

    async def greet(self, user: str) -> str:
        self.user = user
        await pause()
        return self._line()

    def _line(self) -> str:
        return f"Hello {self.user}"


greeter = Greeter()


@app.get("/greet")
async def greet(user: str) -> str:
    return await greeter.greet(user)
