from typing import Any

import chainlit


async def visit(app: Any, name: str) -> list[str]:
    session: dict[str, Any] = {"kept": {}}
    first = await chainlit.says(session, f"topic: the life of {name}")
    return [*first, *await chainlit.says(session, "tell me more")]
