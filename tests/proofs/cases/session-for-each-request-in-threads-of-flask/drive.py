from typing import Any

ITEMS = {"ann": "tea", "bob": "cake"}


def visit(app: Any, name: str) -> object:
    client = app.app.test_client()
    first = client.post("/orders", data={"user": name, "item": ITEMS[name]}).json
    return [first, [row for row in app.Session().scalars() if row.startswith(name)]]
