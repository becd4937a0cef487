from typing import Any


def visit(app: Any, name: str) -> str:
    return str(app.app.test_client().get("/greet", headers={"X-User": name}).text)
