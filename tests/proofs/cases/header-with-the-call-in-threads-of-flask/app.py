# fix: Pass `headers` with the call
# rule: shared-client-state
import httpx
from flask import Flask, request
from turns import rest

app = Flask(__name__)


def answer(asked: httpx.Request) -> httpx.Response:
    return httpx.Response(200, text=f"you are {asked.headers['Authorization']}")


client = httpx.Client(transport=httpx.MockTransport(answer), base_url="http://api.test")


@app.get("/me")
def me() -> str:
    client.headers["Authorization"] = request.args["token"]
    rest()
    return client.get("/me").text
