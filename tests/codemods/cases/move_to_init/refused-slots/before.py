# slot: Coach.turns
# refused: `Coach` has `__slots__` at before.py:3
class Coach:
    __slots__ = ("x",)
    turns = []
