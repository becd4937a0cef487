# fix: Keep one `lines` for each session
# rule: shared-container-write
from fastapi import FastAPI
from turns import pause

import store

app = FastAPI()


@app.get("/say")
async def say(session_id: str, text: str) -> list[str]:
    store.remember(text)
    await pause()
    return history()


def history() -> list[str]:
    return store.everything()
