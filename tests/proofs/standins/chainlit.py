"""As much of Chainlit as a proof needs: callbacks, messages, and a session that each task finds in its context."""

from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from typing import Any

_session: ContextVar[dict[str, Any]] = ContextVar("session")
_callbacks: dict[str, Callable[..., Awaitable[None]]] = {}


class Message:
    def __init__(self, content: str) -> None:
        self.content = content

    async def send(self) -> "Message":
        _session.get()["sent"].append(self.content)
        return self


class _UserSession:
    def get(self, key: str, default: Any = None) -> Any:
        return _session.get()["kept"].get(key, default)

    def set(self, key: str, value: Any) -> None:
        _session.get()["kept"][key] = value


user_session = _UserSession()


def on_message(function: Callable[[Message], Awaitable[None]]) -> Callable[[Message], Awaitable[None]]:
    _callbacks["message"] = function
    return function


async def says(session: dict[str, Any], text: str) -> list[str]:
    """What a user of the session is sent for a message: for the driver of a proof."""
    token = _session.set(session)
    try:
        session["sent"] = []
        await _callbacks["message"](Message(text))
        return list(session["sent"])
    finally:
        _session.reset(token)
