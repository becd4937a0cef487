from flask import Flask, request

app = Flask(__name__)


@app.post("/sit")
def sit() -> str:
    user = request.form["user"]  # who it is
    return ", ".join(label(user) for _ in range(2))


def label(user: str) -> str:
    return user
