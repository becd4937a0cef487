# slot: Agent._user
# refused: `take` takes `_user` away at before.py:13
class Agent:
    def __init__(self):
        self._user = None

    def run(self, request):
        self._user = request.user
        return self.take()

    def take(self):
        user = self._user
        self._user = None
        return user
