# slot: Coach.turns
class Coach:
    turns = []  # newest last
