# slot: Agent._user
# refused: `_load` stores `_user` for a method that calls it
class Agent:
    def __init__(self):
        self._user = None

    def run(self, user):
        self._user = user
        self._load(user)
        return answer(self._user)

    def _load(self, user):
        self._user = lookup(user)
        log(self._user)
