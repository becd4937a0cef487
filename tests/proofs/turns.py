"""Users who take turns: whoever comes to a pause waits until nobody else can go on.

Applications of the proofs import `pause` (on an event loop) or `rest` (in a thread) where a real one would wait for a
database or a model. Nothing depends on time, so two runs interleave alike: in turns, from pause to pause.
"""

import asyncio
import threading
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

_waiting: "deque[asyncio.Future[None]]" = deque()
_moves: "list[asyncio.Future[None]]" = []  # who came to a pause since the last look, behind who made us look

ROUNDS = 100  # of the event loop; far more than a step of a user takes

_baton = threading.Condition()
_line: deque[object] = deque()  # who may run next, in threads; the first one runs
_mine = threading.local()


async def pause() -> None:
    """Let the others go on until none of them can."""
    turn = asyncio.get_running_loop().create_future()
    _waiting.append(turn)
    _moves.append(turn)
    if len(_moves) == 1:
        _watch(0)
    await turn


def _watch(idle: int) -> None:
    """Wake who waits longest when the event loop has gone round often, and nobody came to a pause meanwhile."""
    if not _waiting:
        _moves.clear()
        return
    if len(_moves) > 1:
        idle = 0
        del _moves[1:]
    if idle == ROUNDS:
        _waiting.popleft().set_result(None)
        idle = 0
    asyncio.get_running_loop().call_soon(_watch, idle + 1)


def rest() -> None:
    """The same in a thread."""
    with _baton:
        _line.rotate(-1)
        _baton.notify_all()
        _baton.wait_for(lambda: _line[0] is _mine.token)


async def together(visits: Sequence[Callable[[], Awaitable[Any]]]) -> list[Any]:
    """What each visit on the event loop saw, all of them in turns."""
    return await asyncio.gather(*(visit() for visit in visits))


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
