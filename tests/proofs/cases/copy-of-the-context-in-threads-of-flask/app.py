# fix: Run it in a copy of the context
# rule: context-lost
# shows: no id
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar

from flask import Flask, request

app = Flask(__name__)
pool = ThreadPoolExecutor(1)
current_user = ContextVar("current_user", default="nobody")


def work() -> str:
    return f"done for {current_user.get()}"


@app.get("/work")
def start() -> str:
    current_user.set(request.args["user"])
    return pool.submit(work).result()
