from fastapi import FastAPI

app = FastAPI()


class Notes:
    def __init__(self):
        self._seen = {}

    async def add(self, thread_id, key, text):
        """Add one."""
        self._seen[key] = text
        return f"{len(self._seen)} {self._seen.get(key)}"


notes = Notes()


@app.post("/add/{thread_id}")
async def add(thread_id: str, text: str) -> str:
    return await notes.add(thread_id, "last", text)
