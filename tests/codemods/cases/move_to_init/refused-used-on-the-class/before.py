# slot: Coach.turns
# refused: `turns` is used as an attribute of the class at before.py:13
class Coach:
    turns = []

    def __init__(self):
        pass

    def add(self, text):
        self.turns.append(text)


print(Coach.turns)
