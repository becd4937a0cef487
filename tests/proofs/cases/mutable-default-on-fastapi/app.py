# fix: Make `names` inside of the function
# rule: mutable-default-write
from fastapi import FastAPI
from turns import pause

app = FastAPI()


@app.get("/greet")
async def greet(user: str) -> list[str]:
    await pause()
    return collect(user)


def collect(user: str, names: list[str] = []) -> list[str]:
    names.append(user)
    return names
