from flask import Flask, request

app = Flask(__name__)
user: str | None = None


@app.post("/sit")
def sit() -> str:
    global user
    user = request.form["user"]  # who it is
    return ", ".join(label(user) for _ in range(2))


def label(user: str) -> str:
    return user
