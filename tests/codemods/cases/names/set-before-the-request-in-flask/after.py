from flask import Flask, g, request

app = Flask(__name__)


@app.before_request
def login() -> None:
    g.user = request.headers["X-User"]


@app.get("/")
def home() -> str:
    return label()


def label() -> str:
    return f"Hello {g.get('user', '')}"
