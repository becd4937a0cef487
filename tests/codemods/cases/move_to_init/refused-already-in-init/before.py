# slot: Coach.turns
# refused: `__init__` already sets `turns` at before.py:6
class Coach:
    turns = []

    def __init__(self):
        self.turns = []
