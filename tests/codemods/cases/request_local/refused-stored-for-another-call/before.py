# slot: Agent._user
# refused: nothing in `set_user` reads `_user` again: before.py:8 keeps it for another call
class Agent:
    def __init__(self):
        self._user = None

    def set_user(self, user):
        self._user = user

    def greet(self):
        return f"hello {self._user}"
