from flask import Flask, request

app = Flask(__name__)
_user, _other = "", ""
_topic: str | None = None  # of the talk


@app.post("/sit")
def sit() -> str:
    """Sit down."""
    global _topic, _other
    _topic = request.form["topic"]  # what it is about
    _other = "x"

    # talk
    if _topic:
        return label(_topic + _user)
    return ""


def label(_topic: str) -> str:
    return _topic + topic()


def topic() -> str:
    return f"{_topic!r:>9}" + "".join(_topic for _ in range(3))
