from fastapi import FastAPI

app = FastAPI()


class Diary:
    def __init__(self) -> None:
        self._lines: dict[str, list[str]] = {}

    def write(self, line: str, session_id: str) -> int:
        self._keep(line, session_id)  # once
        return self._count(session_id)

    def _keep(self, line: str, session_id: str) -> None:
        if session_id not in self._lines and len(self._lines) >= 1000:
            del self._lines[next(iter(self._lines))]
        self._lines.setdefault(session_id, []).append(line)

    def _count(self, session_id: str) -> int:
        return len(self._lines.get(session_id, []))


diary = Diary()


@app.post("/write/{session_id}")
async def write(session_id: str, line: str) -> int:
    return diary.write(
        line,  # as it is
        session_id,
    )
