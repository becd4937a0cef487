# slot: Agent._company
class Agent:
    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        # of the query at hand
        self._started = 0

    async def stream(self, query: str) -> AsyncIterator[str]:
        company = company_of(query)  # from the first words

        async for word in self._words(query, limit=3, company=company):
            yield word
        yield self._heading(company)

    async def _words(self, query: str, limit: int = 10, *, company: str) -> AsyncIterator[str]:
        yield self._heading(company) + query[:limit]

    def _heading(self, company: str) -> str:
        return f"# Fit check: {company}"
