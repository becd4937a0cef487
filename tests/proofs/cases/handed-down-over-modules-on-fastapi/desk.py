from letters import heading


class Desk:
    def __init__(self) -> None:
        self.lines = 2
        self.user = ""

    async def greet(self, name: str) -> str:
        self.user = name
        return await heading(self)


desk = Desk()
