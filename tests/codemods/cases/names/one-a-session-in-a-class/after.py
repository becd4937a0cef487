from fastapi import FastAPI

app = FastAPI()


class Notes:
    def __init__(self):
        self._seen = {}

    async def add(self, thread_id, key, text):
        """Add one."""
        if thread_id not in self._seen and len(self._seen) >= 1000:
            del self._seen[next(iter(self._seen))]
        self._seen.setdefault(thread_id, {})[key] = text
        return f"{len(self._seen.get(thread_id, {}))} {self._seen.get(thread_id, {}).get(key)}"


notes = Notes()


@app.post("/add/{thread_id}")
async def add(thread_id: str, text: str) -> str:
    return await notes.add(thread_id, "last", text)
