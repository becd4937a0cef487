# fix: Keep one `lines` for each session
# rule: closure-state-write
from fastapi import FastAPI
from turns import pause


def create_app() -> FastAPI:
    app = FastAPI()
    lines: list[str] = []

    @app.post("/say/{session_id}")
    async def say(session_id: str, text: str) -> int:
        lines.append(text)
        await pause()
        return len(lines)

    @app.get("/lines/{session_id}")
    async def read(session_id: str) -> list[str]:
        return list(lines)

    return app


app = create_app()
