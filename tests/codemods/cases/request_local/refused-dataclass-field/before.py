# slot: Agent.user
# refused: `user` may be a field that the class declares at before.py:7
from dataclasses import dataclass

@dataclass
class Agent:
    user: str = ""

    def run(self, user):
        self.user = user
        return answer(self.user)
