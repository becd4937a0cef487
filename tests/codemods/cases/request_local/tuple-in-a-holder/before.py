# slot: Agent._pair
class Agent:
    def __init__(self):
        self._pair = dict()

    def run(self, a, b):
        self._pair["both"] = a, b
        return use(self._pair)
