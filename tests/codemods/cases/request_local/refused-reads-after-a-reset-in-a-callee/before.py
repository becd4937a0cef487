# slot: Agent._user
# refused: `_user` is reset in between at before.py:9
class Agent:
    def __init__(self):
        self._user = None

    def run(self, request):
        self._user = request.user
        self.reset()
        return answer(self._user)

    def reset(self):
        self._user = None
