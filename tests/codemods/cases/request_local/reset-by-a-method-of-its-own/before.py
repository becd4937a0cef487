# slot: Agent._user
class Agent:
    def __init__(self):
        self.ready = True
        self._user = None

    def run(self, request):
        self.reset()
        self._user = request.user
        return answer(self._user)

    def reset(self):
        """Forget the user."""
        self._user = None

    def close(self):
        self._user = None
        self.ready = False
