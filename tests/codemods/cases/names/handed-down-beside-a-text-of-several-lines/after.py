from flask import Flask, request

app = Flask(__name__)


@app.post("/sit")
def sit() -> str:
    user = request.form["user"]
    return label(user) + """
    end"""


def label(user) -> str:
    return user
