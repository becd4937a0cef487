from fastapi import FastAPI, Request

app = FastAPI()


@app.middleware("http")
async def sign_in(request: Request, call_next):
    request.app.state.user = request.headers["x-user"]
    return await call_next(request)


@app.get("/greet")
async def greet() -> str:
    return f"Hello {app.state.user}"
