# slot: Coach.turns
# safety: suggested
class Coach(Base):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.turns = []

    def coach(self, text):
        self.turns.append(text)
