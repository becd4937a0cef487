# slot: Agent._user
import os
from typing import (
    List,
    Optional,
)


class Agent:
    def __init__(self) -> None:
        self._user: Optional[str] = None

    def run(self, users: List[str]) -> str:
        self._user = users[0] + os.sep
        return self._user
