"""Users who take turns: whoever comes to a pause waits until everybody else has come to one, or is done.

Applications of the proofs import `pause` (on an event loop) or `rest` (in a thread) where a real one would wait for a
database or a model. Nothing depends on time, so two runs interleave alike: in turns, from pause to pause.
"""

import asyncio
import threading
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

_waiting: "deque[asyncio.Future[None]]" = deque()
_on_loop = 0  # users of the event loop who are not done

_baton = threading.Condition()
_line: deque[object] = deque()  # who may run next, in threads; the first one runs
_mine = threading.local()


async def pause() -> None:
    """Let the others go on until each of them waits too."""
    turn = asyncio.get_running_loop().create_future()
    _waiting.append(turn)
    _go_on()
    await turn


def rest() -> None:
    """The same in a thread."""
    with _baton:
        _line.rotate(-1)
        _baton.notify_all()
        _baton.wait_for(lambda: _line[0] is _mine.token)


async def together(visits: Sequence[Callable[[], Awaitable[Any]]]) -> list[Any]:
    """What each visit on the event loop saw, all of them in turns."""
    global _on_loop
    _on_loop = len(visits)
    return await asyncio.gather(*(_visited(visit) for visit in visits))


def in_threads(visits: Sequence[Callable[[], Any]]) -> list[Any]:
    """What each visit saw, each in a thread of its own, one running at a time."""
    tokens = [object() for _ in visits]
    seen: dict[int, Any] = {}
    _line.extend(tokens)
    threads = [
        threading.Thread(target=_ran, args=(number, visit, token, seen))
        for number, (visit, token) in enumerate(zip(visits, tokens, strict=True))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [seen[number] for number in range(len(visits))]


async def _visited(visit: Callable[[], Awaitable[Any]]) -> Any:
    global _on_loop
    try:
        return await visit()
    finally:
        _on_loop -= 1
        _go_on()


def _go_on() -> None:
    if _waiting and len(_waiting) >= _on_loop:
        _waiting.popleft().set_result(None)


def _ran(number: int, visit: Callable[[], Any], token: object, seen: dict[int, Any]) -> None:
    _mine.token = token
    with _baton:
        _baton.wait_for(lambda: _line[0] is token)
    try:
        seen[number] = visit()
    except Exception as error:
        seen[number] = f"{type(error).__name__}: {error}"
    finally:
        with _baton:
            _line.remove(token)
            _baton.notify_all()
