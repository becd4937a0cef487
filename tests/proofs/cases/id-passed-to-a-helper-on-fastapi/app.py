# fix: Pass `request_id=request_id`
# rule: id-not-passed
# shows: no id
from fastapi import FastAPI
from turns import pause

app = FastAPI()


def open_session(title: str, request_id: str | None = None) -> dict[str, str | None]:
    return {"title": title, "request_id": request_id}


@app.post("/sessions")
async def start(title: str, request_id: str) -> dict[str, str | None]:
    session = open_session(title)
    await pause()
    return session
