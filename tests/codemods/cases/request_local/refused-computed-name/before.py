# slot: Agent.user
# refused: `user` is reached by its name at before.py:9
class Agent:
    def __init__(self):
        self.user = None

    def run(self, user):
        self.user = user
        if hasattr(self, "user"):
            return answer(self.user)
