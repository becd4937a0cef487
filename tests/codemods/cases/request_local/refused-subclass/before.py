# slot: Agent._user
# refused: a subclass uses `_user` at before.py:18
class Agent:
    def __init__(self):
        self._user = None

    def run(self, user):
        self._user = user
        return answer(self._user)


class Middle(Agent):
    pass


class Loud(Middle):
    def shout(self):
        return self._user.upper()
