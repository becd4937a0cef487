# slot: Coach.turns
class Coach(Base):
    turns = {  # by name
        "a": 1,
    }

    def __init__(this, x):
        """Doc."""
        log(x)
        super().__init__(x)
        # rest
        this.x = x
