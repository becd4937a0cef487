# slot: Agent.user
# safety: suggested
class Agent(library.Base, Generic[T]):
    def run(self, request):
        self.user = request.user
        return answer(self.user)
