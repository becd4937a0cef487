from fastapi import FastAPI

app = FastAPI()
_user = {}


@app.post("/sit")
async def sit(user: str) -> str:
    global _user
    _user = {"name": user}
    return await label()


async def label() -> str:
    return _user["name"]
