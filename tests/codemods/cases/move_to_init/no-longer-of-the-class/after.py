# slot: Basket.items
from typing import Any


class Basket:
    items: dict[str, Any]

    def __init__(self) -> None:
        self.items = {}

    def add(self, name: str) -> None:
        self.items[name] = 1
