# slot: Agent.user
# safety: suggested
class Agent(library.Base, Generic[T]):
    def __init__(self):
        self.user = None

    def run(self, request):
        self.user = request.user
        return answer(self.user)
