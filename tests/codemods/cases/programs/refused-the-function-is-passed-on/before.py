from fastapi import FastAPI

app = FastAPI()
lines: list[str] = []


def keep(line: str) -> None:
    lines.append(line)


@app.post("/write/{session_id}")
async def write(session_id: str, line: str) -> list[str]:
    keep(line)
    later(keep)
    return lines


def later(work) -> None:
    print(work)
