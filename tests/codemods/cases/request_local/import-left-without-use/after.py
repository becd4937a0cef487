# slot: Agent._user
import os
from typing import (
    List,
)


class Agent:
    def __init__(self) -> None:
        pass

    def run(self, users: List[str]) -> str:
        user = users[0] + os.sep
        return user
