# slot: Agent._count
# refused: `_count` is counted up at before.py:8
class Agent:
    def __init__(self):
        self._count = 0

    def run(self, n):
        self._count += n
        return self._count
