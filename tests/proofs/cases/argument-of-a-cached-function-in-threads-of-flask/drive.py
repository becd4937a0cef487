from typing import Any


def visit(app: Any, name: str) -> str:
    client = app.app.test_client()
    client.get("/login", query_string={"user": name})
    return str(client.get("/basket").text)
