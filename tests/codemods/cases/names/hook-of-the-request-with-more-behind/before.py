from flask import Flask, request

app = Flask(__name__)
_user = ""
served = 0


@app.before_request
def login() -> None:
    global _user, served
    _user = request.headers["X-User"]
    served += 1


@app.get("/")
def home() -> str:
    return f"Hello {_user}"
