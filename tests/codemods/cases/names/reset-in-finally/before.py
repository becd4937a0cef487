from fastapi import FastAPI

app = FastAPI()
_user: str | None = None


@app.post("/sit")
async def sit(user: str) -> str | None:
    global _user
    _user = user  # leak: global-rebind
    try:
        return await label()
    finally:
        _user = None


async def label() -> str | None:
    return _user
