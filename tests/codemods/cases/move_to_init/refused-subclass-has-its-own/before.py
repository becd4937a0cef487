# slot: Coach.turns
# refused: the subclass `Loud` has its own `turns` at before.py:10
class Coach:
    turns = []

    def __init__(self):
        pass


class Loud(Coach):
    turns = ["!"]
