# slot: Coach.turns
class Coach(Base):
    def __init__(this, x):
        """Doc."""
        log(x)
        super().__init__(x)
        this.turns = {  # by name
            "a": 1,
        }
        # rest
        this.x = x
