from contextvars import ContextVar

from fastapi import FastAPI

app = FastAPI()
_user: ContextVar[str | None] = ContextVar("_user", default=None)


@app.post("/sit")
async def sit(user: str) -> str | None:
    _user.set(user)  # leak: global-rebind
    try:
        return await label()
    finally:
        _user.set(None)


async def label() -> str | None:
    return _user.get()
