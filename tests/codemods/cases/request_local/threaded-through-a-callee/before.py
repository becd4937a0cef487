# slot: Agent._company
class Agent:
    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._company = ""  # of the query at hand
        self._started = 0

    async def stream(self, query: str) -> AsyncIterator[str]:
        self._company = company_of(query)  # from the first words

        async for word in self._words(query, limit=3):
            yield word
        yield self._heading()

    async def _words(self, query: str, limit: int = 10) -> AsyncIterator[str]:
        yield self._heading() + query[:limit]

    def _heading(self) -> str:
        return f"# Fit check: {self._company}"
