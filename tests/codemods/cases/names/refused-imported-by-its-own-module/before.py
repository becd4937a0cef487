from fastapi import FastAPI

app = FastAPI()
_user = None


@app.post("/sit")
async def sit(user: str) -> str:
    global _user
    _user = user
    return await label()


async def label() -> str:
    return _user


def unseen() -> str:
    from before import _user

    return _user
