from flask import Flask, request

app = Flask(__name__)
_warned = ""


@app.post("/ask")
def ask() -> str:
    global _warned
    if request.form["kind"] == "plain":
        answer = "plain"
    elif not _warned:
        _warned = request.form["user"]
        answer = _warned
    else:
        answer = "again"
    return answer
