# fix: Keep `_user` in `flask.g`
# rule: global-rebind
from flask import Flask, request
from turns import rest

app = Flask(__name__)
_user = ""


@app.before_request
def login() -> None:
    global _user
    _user = request.headers["X-User"]


@app.get("/greet")
def greet() -> str:
    rest()
    return label()


def label() -> str:
    return f"Hello {_user}"
