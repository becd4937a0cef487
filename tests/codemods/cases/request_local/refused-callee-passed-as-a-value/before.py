# slot: Agent._user
# refused: `_greet` cannot take another argument: it is used at before.py:9
class Agent:
    def __init__(self):
        self._user = None

    def run(self, user):
        self._user = lookup(user)
        Thread(target=self._greet).start()
        return self._greet()

    def _greet(self):
        return f"hello {self._user}"
