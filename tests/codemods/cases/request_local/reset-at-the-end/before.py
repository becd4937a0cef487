# slot: Agent._user
class Agent:
    def __init__(self):
        self._user = None

    def run(self, request):
        self._user = request.user
        result = self.answer(self._user)
        self._user = None
        return result

    def answer(self, user):
        return user
