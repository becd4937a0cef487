# slot: Basket.items
from typing import Any, ClassVar


class Basket:
    items: ClassVar[dict[str, Any]] = {}

    def add(self, name: str) -> None:
        self.items[name] = 1
