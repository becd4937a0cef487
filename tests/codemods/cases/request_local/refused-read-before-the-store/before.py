# slot: Agent._last
# refused: `ask` may read what an earlier call left in `_last` at before.py:8
class Agent:
    def __init__(self):
        self._last = ""

    def ask(self, query):
        context = self._last
        self._last = query
        return answer(context, self._last)
