# slot: Agent._holder
# safety: suggested
class Agent:
    def __init__(self):
        self._holder = {}

    def stream(self, cb):
        self._holder["cb"] = cb
        return build(self._holder)

    def analyze(self, query):
        if query:
            return build(self._holder).run(query)
        return None
