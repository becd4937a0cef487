# slot: Agent._user
# refused: the property at before.py:16 shows `_user` to others
class Agent:
    def __init__(self):
        self._user = None

    def run(self, user):
        self._user = user
        try:
            return answer(self._user)
        finally:
            self._user = None

    @property
    def user(self):
        return self._user
