# slot: Agent._user
# refused: the first value of `_user` is given from outside at before.py:5
class Agent:
    def __init__(self, user):
        self._user = user

    def run(self, user):
        self._user = user
        return answer(self._user)
