# fix: Give each `Basket` its own `items`
# rule: class-attribute-write
import asyncio

from turns import pause


class Basket:
    items: list[str] = []

    async def put(self, item: str) -> list[str]:
        self.items.append(item)
        await pause()
        return list(self.items)


async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    item = (await reader.readline()).decode().strip()
    writer.write(", ".join(await Basket().put(item)).encode())


async def serve() -> None:
    await asyncio.start_server(handle, "localhost", 8000)
