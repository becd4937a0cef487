# slot: Agent.user
# safety: suggested
class Agent(library.Base, Generic[T]):
    def __init__(self):
        pass

    def run(self, request):
        user = request.user
        return answer(user)
