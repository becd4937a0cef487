from flask import Flask, g, request

app = Flask(__name__)
served = 0


@app.before_request
def login() -> None:
    global served
    g.user = request.headers["X-User"]
    served += 1


@app.get("/")
def home() -> str:
    return f"Hello {g.get('user', '')}"
