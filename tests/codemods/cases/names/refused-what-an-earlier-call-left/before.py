from flask import Flask, request

app = Flask(__name__)
_last = ""


@app.post("/sit")
def sit() -> str:
    global _last
    before = _last
    if request.form["user"]:
        _last = request.form["user"]
    return before
