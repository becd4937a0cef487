from fastapi import FastAPI
from fastapi.responses import StreamingResponse

app = FastAPI()
_user = ""


@app.post("/sit")
async def sit(user: str) -> StreamingResponse:
    global _user
    _user = user
    return StreamingResponse(label())


async def label():
    yield _user
