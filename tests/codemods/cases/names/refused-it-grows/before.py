from flask import Flask, request

app = Flask(__name__)
parts: list[str] = []


@app.post("/add")
def add() -> str:
    parts.append(request.form["text"])
    return " ".join(parts)
