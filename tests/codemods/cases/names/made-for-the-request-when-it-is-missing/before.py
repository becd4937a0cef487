from flask import Flask, request

app = Flask(__name__)


class Client:
    def __init__(self, token: str) -> None:
        self.token = token


_client: Client | None = None


def client(token: str) -> Client:
    global _client
    if _client is None:
        _client = Client(token)  # leak: global-rebind
    return _client


@app.get("/fetch")
def fetch() -> str:
    return client(request.headers["Authorization"]).token
