from fastapi import FastAPI

__all__ = ["_user", "app"]

app = FastAPI()
_user = ""


@app.post("/sit")
async def sit(user: str) -> str:
    global _user
    _user = user
    return await label()


async def label() -> str:
    return _user
