import asyncio
from typing import Any


class Writer:
    def __init__(self) -> None:
        self.sent = b""

    def write(self, data: bytes) -> None:
        self.sent += data


async def visit(app: Any, name: str) -> str:
    reader, writer = asyncio.StreamReader(), Writer()
    reader.feed_data(f"{name}\n".encode())
    reader.feed_eof()
    await app.handle(reader, writer)
    return writer.sent.decode()
