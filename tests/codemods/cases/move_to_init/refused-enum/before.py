# slot: Coach.turns
# refused: `Coach` derives from `Enum` at before.py:3
class Coach(Enum):
    turns = []
