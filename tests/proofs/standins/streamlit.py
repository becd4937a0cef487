"""What the proofs need of Streamlit: each session runs the page anew, in a thread, and has a state of its own."""

from __future__ import annotations

import functools
import runpy
import threading
from collections.abc import Callable, Iterator, MutableMapping
from typing import Any

_run = threading.local()
_resources: dict[Callable[[], Any], Any] = {}


class _State(MutableMapping[str, Any]):
    def __getitem__(self, key: str) -> Any:
        return _run.session[key]

    def __setitem__(self, key: str, value: Any) -> None:
        _run.session[key] = value

    def __delitem__(self, key: str) -> None:
        del _run.session[key]

    def __iter__(self) -> Iterator[str]:
        return iter(_run.session)

    def __len__(self) -> int:
        return len(_run.session)


session_state = _State()


def text_input(label: str) -> str:
    """What the user has typed in."""
    return str(_run.typed.get(label, ""))


def write(*shown: object) -> None:
    """Show it to the user."""
    _run.shown += [str(one) for one in shown]


def cache_resource(make: Callable[[], Any]) -> Callable[[], Any]:
    """One object for all sessions."""

    @functools.wraps(make)
    def made() -> Any:
        if make not in _resources:
            _resources[make] = make()
        return _resources[make]

    return made


def visited(page: str, session: dict[str, Any], typed: dict[str, str]) -> list[str]:
    """What a run of the page shows to the user of a session who has typed something in."""
    _run.session, _run.typed, _run.shown = session, typed, []
    runpy.run_path(page)
    return list(_run.shown)
