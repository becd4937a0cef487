# slot: Coach.turns
class Coach:
    """Made for one session."""

    turns: list[str]  # newest last

    def __init__(self, session_hash: str) -> None:
        self.turns = []
        self.session_hash = session_hash

    def coach(self, text: str) -> str:
        self.turns.append(text)
        return self.turns[0]
