from fastapi import FastAPI

app = FastAPI()
stores: dict[str, object] = {}
histories: dict[str, list[str]] = {}


@app.post("/chat")
async def chat(name: str, text: str) -> int:
    store = stores[name]
    session_id = f"store_{id(store)}"
    histories.setdefault(session_id, []).append(text)
    return len(histories[session_id])
