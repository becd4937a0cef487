# slot: Agent._holder
# refused: `_holder` is kept or given away at before.py:9
class Agent:
    def __init__(self):
        self._holder = {}

    def run(self, cb):
        self._holder["cb"] = cb
        self._pipeline = build(self._holder)
        return self._pipeline.run()
