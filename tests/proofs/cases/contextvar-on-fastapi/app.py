# fix: Keep `current_user` in a ContextVar
# rule: global-rebind
from fastapi import FastAPI
from turns import pause

app = FastAPI()
current_user = ""


@app.get("/greet")
async def greet(user: str) -> str:
    global current_user
    current_user = user
    return await answer()


async def answer() -> str:
    await pause()
    return f"Hello {current_user}"
