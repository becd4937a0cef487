# slot: Agent._user
class Agent:
    def __init__(self):
        self.ready = True

    def run(self, request):
        self.reset()
        user = request.user
        return answer(user)

    def reset(self):
        """Forget the user."""

    def close(self):
        self.ready = False
