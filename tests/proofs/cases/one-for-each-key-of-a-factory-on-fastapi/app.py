# fix: Keep one for each `session_id`
# rule: memoized-session-id
from fastapi import FastAPI
from turns import pause

app = FastAPI()


class Assistant:
    def __init__(self, session_id: str) -> None:
        self.session_id = session_id

    def answer(self) -> str:
        return f"this is {self.session_id}"


_assistant: Assistant | None = None


def get_assistant(session_id: str) -> Assistant:
    global _assistant
    if _assistant is None:
        _assistant = Assistant(session_id)
    return _assistant


@app.get("/chat")
async def chat(session_id: str) -> str:
    await pause()
    return get_assistant(session_id).answer()
