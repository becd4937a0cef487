from contextvars import ContextVar

from fastapi import FastAPI

app = FastAPI()
_user = ContextVar("_user", default="")


@app.post("/sit")
async def sit(user: str) -> str:
    _user.set(user)  # leak: global-rebind
    return await label()


async def label() -> str:
    return _user.get()
