# fix: Use `setdefault`
# rule: check-then-act
# shows: lost work
from flask import Flask, request
from turns import rest

app = Flask(__name__)
rooms: dict[str, list[str]] = {}


@app.get("/say/<session_id>")
def say(session_id: str) -> str:
    if session_id not in rooms:
        rooms[session_id] = []
    rooms[session_id].append(request.args["user"])
    rest()
    return f"{request.args['user'] in rooms[session_id]}"


@app.delete("/say/<session_id>")
def leave(session_id: str) -> str:
    rooms.pop(session_id, None)
    return "left"
