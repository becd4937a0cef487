# slot: Coach.turns
class Coach:
    """Made for one session."""

    LIMIT = 3
    turns: list[str] = []

    # the one method
    @traced
    def coach(self, text: str) -> str:
        self.turns.append(text)
        return self.turns[0]
