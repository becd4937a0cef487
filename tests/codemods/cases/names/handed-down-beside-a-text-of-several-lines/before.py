from flask import Flask, request

app = Flask(__name__)
_user = ""


@app.post("/sit")
def sit() -> str:
    global _user
    _user = request.form["user"]
    return label() + """
    end"""


def label() -> str:
    return _user
