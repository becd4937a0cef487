from flask import Flask, g, request

app = Flask(__name__)


class Client:
    def __init__(self, token: str) -> None:
        self.token = token


def client(token: str) -> Client:
    if g.get("client") is None:
        g.client = Client(token)  # leak: global-rebind
    return g.get("client")


@app.get("/fetch")
def fetch() -> str:
    return client(request.headers["Authorization"]).token
