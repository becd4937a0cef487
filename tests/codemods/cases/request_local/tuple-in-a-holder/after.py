# slot: Agent._pair
class Agent:
    def __init__(self):
        pass

    def run(self, a, b):
        pair = {"both": (a, b)}
        return use(pair)
