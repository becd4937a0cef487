# fix: Make `session['user_id']` part of the key
# rule: user-blind-cache
from functools import lru_cache

from flask import Flask, request, session
from turns import rest

app = Flask(__name__)
app.secret_key = "a secret of the tests"


@app.get("/login")
def login() -> str:
    session["user_id"] = request.args["user"]
    return "in"


@lru_cache(maxsize=64)
def basket_of(shop: str) -> str:
    return f"{shop}: {session['user_id']}"


@app.get("/basket")
def basket() -> str:
    rest()
    return basket_of("books")
