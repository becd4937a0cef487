# fix: Keep `current_user` in a ContextVar
# rule: global-rebind
from flask import Flask, request
from turns import rest

app = Flask(__name__)
current_user = ""


@app.get("/greet")
def greet() -> str:
    global current_user
    current_user = request.args["user"]
    return answer()


def answer() -> str:
    rest()
    return f"Hello {current_user}"
