from contextvars import ContextVar

from flask import Flask, request

app = Flask(__name__)
_user, _other = "", ""
_topic: ContextVar[str | None] = ContextVar("_topic", default=None)  # of the talk


@app.post("/sit")
def sit() -> str:
    """Sit down."""
    global _other
    token = _topic.set(request.form["topic"])  # what it is about
    try:
        _other = "x"

        # talk
        if _topic.get():
            return label(_topic.get() + _user)
        return ""
    finally:
        _topic.reset(token)


def label(_topic: str) -> str:
    return _topic + topic()


def topic() -> str:
    return f"{_topic.get()!r:>9}" + "".join(_topic.get() for _ in range(3))
