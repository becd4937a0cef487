# slot: Coach.turns
# safety: suggested
class Coach(Base):
    turns = []

    def coach(self, text):
        self.turns.append(text)
