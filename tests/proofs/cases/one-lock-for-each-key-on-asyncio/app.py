# fix: Hold one lock for each `user_id` over the look-up and the write
# rule: check-then-act
# shows: lost work
from fastapi import FastAPI
from turns import pause

app = FastAPI()


class Sessions:
    def __init__(self) -> None:
        self._open: dict[str, list[str]] = {}

    async def acquire(self, user_id: str) -> list[str]:
        if user_id not in self._open:
            self._open[user_id] = await create_session()
        return self._open[user_id]

    async def release(self, user_id: str) -> None:
        self._open.pop(user_id, None)


async def create_session() -> list[str]:
    await pause()
    return []


sessions = Sessions()


@app.get("/open")
async def open_session(user_id: str) -> bool:
    mine = await sessions.acquire(user_id)
    await pause()
    return mine is await sessions.acquire(user_id)


@app.post("/close")
async def close(user_id: str) -> None:
    await sessions.release(user_id)
