# slot: Tab._parts
class Tab:
    def __init__(self) -> None:
        self._parts: list[str] = []

    async def shorten(self, text):
        for paragraph in text.splitlines():
            self._parts.append(await self.heading(paragraph))
            yield f"{len(self._parts)} paragraphs"
        summary = " / ".join(self._parts)
        self._parts.clear()
        yield summary

    async def heading(self, paragraph):
        return paragraph[:3]
