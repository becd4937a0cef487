from fastapi import FastAPI, Request

app = FastAPI()


@app.on_event("startup")
async def start() -> None:
    app.state.user = "nobody"


@app.middleware("http")
async def sign_in(request: Request, call_next):
    request.app.state.user = request.headers["x-user"]
    return await call_next(request)


@app.get("/greet")
async def greet(request: Request) -> str:
    return f"Hello {request.app.state.user}"
