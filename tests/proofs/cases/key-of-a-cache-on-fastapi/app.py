# fix: Make `user_id` part of the key
# rule: user-blind-cache
from fastapi import Depends, FastAPI, Request
from turns import pause

app = FastAPI()
results: dict[str, str] = {}


def get_user_id(request: Request) -> str:
    return request.query_params["user"]


def search(query: str, user_id: str) -> str:
    return f"{query} in the papers of {user_id}"


@app.get("/greet")
async def find(query: str = "rent", user_id: str = Depends(get_user_id)) -> str:
    await pause()
    if query not in results:
        results[query] = search(query, user_id)
    return results[query]
