from fastapi import FastAPI

app = FastAPI()
_said = ""


@app.post("/sit")
async def sit(text: str) -> str:
    global _said
    _said = text
    _said += "."
    return _said + await label()


async def label() -> str:
    return _said
