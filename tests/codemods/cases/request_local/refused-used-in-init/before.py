# slot: Agent._holder
# refused: `__init__` uses `_holder` itself at before.py:6
class Agent:
    def __init__(self):
        self._holder = {}
        self._pipeline = build(self._holder)

    def run(self, cb):
        self._holder["cb"] = cb
        return self._pipeline.run(self._holder)
