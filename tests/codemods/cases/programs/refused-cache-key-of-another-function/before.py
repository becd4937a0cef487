from fastapi import FastAPI

app = FastAPI()
results: dict[str, str] = {}


def search(query: str, user_id: str) -> str:
    return f"{query} in the papers of {user_id}"


@app.get("/search")
async def find(query: str, user_id: str) -> str:
    if query not in results:
        results[query] = search(query, user_id)
    return results[query]


@app.get("/known")
async def known(query: str) -> bool:
    return query in results
