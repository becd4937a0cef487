# slot: Coach.turns
# refused: the class body reads `turns` at before.py:5
class Coach:
    turns = []
    first = turns
