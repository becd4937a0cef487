# slot: Tab._parts
class Tab:
    def __init__(self) -> None:
        pass

    async def shorten(self, text):
        parts: list[str] = []
        for paragraph in text.splitlines():
            parts.append(await self.heading(paragraph))
            yield f"{len(parts)} paragraphs"
        summary = " / ".join(parts)
        yield summary

    async def heading(self, paragraph):
        return paragraph[:3]
