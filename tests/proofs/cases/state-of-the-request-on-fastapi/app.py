# fix: Keep `user` on the request
# rule: shared-attribute-write
from collections.abc import Awaitable, Callable

from fastapi import FastAPI, Request, Response
from turns import pause

app = FastAPI()


@app.middleware("http")
async def sign_in(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
    request.app.state.user = request.query_params["user"]
    return await call_next(request)


@app.get("/greet")
async def greet(request: Request) -> str:
    await pause()
    return f"Hello {request.app.state.user}"
