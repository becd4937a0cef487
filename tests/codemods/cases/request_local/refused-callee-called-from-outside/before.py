# slot: Agent._user
# refused: `greet` cannot take another argument: it is used at before.py:15
class Agent:
    def __init__(self):
        self._user = None

    def run(self, user):
        self._user = lookup(user)
        return self.greet()

    def greet(self):
        return f"hello {self._user}"


print(Agent().greet())
