# slot: Coach.turns
# refused: the value of `turns` needs `FIRST` of the class at before.py:5
class Coach:
    FIRST = "hello"
    turns = [FIRST]
