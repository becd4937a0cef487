from typing import Any

from turns import rest


class Slow(dict[str, list[str]]):
    """A dict that lets another thread run right behind each look-up, as any dict may."""

    def __contains__(self, key: object) -> bool:
        found = super().__contains__(key)
        rest()
        return found


def visit(app: Any, name: str) -> str:
    if not isinstance(app.rooms, Slow):
        app.rooms = Slow(app.rooms)
    return str(app.app.test_client().get("/say/hall", query_string={"user": name}).text)
