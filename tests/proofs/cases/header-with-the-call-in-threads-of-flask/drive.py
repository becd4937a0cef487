from typing import Any


def visit(app: Any, name: str) -> str:
    return str(app.app.test_client().get("/me", query_string={"token": name}).text)
