from fastapi import FastAPI
from fastapi.responses import StreamingResponse

app = FastAPI()


@app.post("/sit")
async def sit(user: str) -> StreamingResponse:
    return StreamingResponse(label(user))


async def label(user):
    yield user
