import importlib
from typing import Any


def visit(app: Any, name: str) -> list[str]:
    streamlit = importlib.import_module("streamlit")
    session: dict[str, Any] = {}
    lines = (f"about {name}", "", f"{name} writes", "clear", f"{name} again")
    return [one for line in lines for one in streamlit.visited("page.py", session, {"line": line})]
