# fix: Keep it in a ContextVar
# rule: thread-local-in-async
import threading

from fastapi import FastAPI
from turns import pause

app = FastAPI()
state = threading.local()


@app.get("/greet")
async def greet(user: str) -> str:
    state.user = user
    await pause()
    return line()


def line() -> str:
    return f"Hello {state.user}"
