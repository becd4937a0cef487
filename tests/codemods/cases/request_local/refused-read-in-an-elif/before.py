# slot: Agent.user
# refused: `run` may read what an earlier call left in `user` at before.py:12
class Agent:
    def __init__(self):
        self.user = None

    def run(self, request):
        if request.plain:
            answer = "plain"
        elif not request.user:
            answer = "nobody"
        elif self.user:
            answer = "again"
        else:
            self.user = request.user
            answer = self.user
        return answer
