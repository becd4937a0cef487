# slot: Agent._user
class Agent:
    def __init__(self):
        pass

    def run(self, request):
        user = request.user
        result = self.answer(user)
        return result

    def answer(self, user):
        return user
