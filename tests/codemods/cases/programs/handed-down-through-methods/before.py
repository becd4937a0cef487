from fastapi import FastAPI

app = FastAPI()


class Diary:
    def __init__(self) -> None:
        self._lines: list[str] = []

    def write(self, line: str) -> int:
        self._keep(line)  # once
        return self._count()

    def _keep(self, line: str) -> None:
        self._lines.append(line)

    def _count(self) -> int:
        return len(self._lines)


diary = Diary()


@app.post("/write/{session_id}")
async def write(session_id: str, line: str) -> int:
    return diary.write(
        line,  # as it is
    )
