# slot: Coach.turns
# refused: `turns` is used as an attribute of the class at before.py:8
class Coach:
    turns = []

    @classmethod
    def add(cls, text):
        cls.turns.append(text)
