from flask import Flask, request

app = Flask(__name__)
_user = ""


@app.before_request
def login() -> None:
    global _user
    _user = request.headers["X-User"]


@app.get("/")
def home() -> str:
    return label()


def label() -> str:
    return f"Hello {_user}"
