"""Work in shares to its results, each share but the first in a process of its own; they are those of one process.

Pipes only: no semaphores and no shared memory, which not every machine has. A share is done here after all where its
process cannot be started, or dies.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from multiprocessing.process import BaseProcess

T = TypeVar("T")
R = TypeVar("R")
S = TypeVar("S")

FORKS = sys.platform == "linux"
"""Whether a process starts as a copy of this one: at no cost, and with all that this one holds."""


def usable() -> int:
    """Processors that this process may use."""
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def shares(items: Sequence[T], sizes: Sequence[int], jobs: int, least: int) -> list[list[T]]:
    """At most `jobs` shares of about the same size, none smaller than about `least`; order is kept within each.

    Gives one share, maybe empty, where there is not enough for two.
    """
    count = max(1, min(jobs, sum(sizes) // least, len(items)))
    loads = [0] * count
    owner: dict[int, int] = {}
    for position in sorted(range(len(items)), key=lambda position: -sizes[position]):
        lightest = loads.index(min(loads))
        loads[lightest] += sizes[position]
        owner[position] = lightest
    return [[item for position, item in enumerate(items) if owner[position] == share] for share in range(count)]


def spread(
    parts: Sequence[list[T]], here: Callable[[list[T]], R], there: Callable[[list[T]], S], taken: Callable[[S], R]
) -> list[R]:
    """What is made of each share: of the first `here`, of the others by `there` and then, in this process, by `taken`.

    What goes to and comes from another process must be picklable. The first share is worked on while others are.
    """
    started = [_started(there, part) for part in parts[1:]]
    try:
        done = [here(parts[0])]
        for part, worker in zip(parts[1:], started, strict=True):
            received = worker and _received(worker[1])
            done.append(taken(received[0]) if received else here(part))
        return done
    finally:
        for worker in filter(None, started):
            worker[0].kill()
            worker[0].join()
            worker[1].close()


def _started(work: Callable[[list[T]], S], part: list[T]) -> tuple[BaseProcess, Connection] | None:
    import multiprocessing  # 18 ms that a small program need not pay

    context = multiprocessing.get_context("fork" if FORKS else "spawn")
    try:
        reading, writing = context.Pipe(duplex=False)
    except OSError:
        return None
    process = context.Process(target=_serve, args=(work, part, writing), daemon=True)  # type: ignore[attr-defined]
    try:
        with _deaf():
            process.start()
    except OSError:
        reading.close()
        return None
    finally:
        writing.close()  # else its end would never be seen
    return process, reading


@contextmanager
def _deaf() -> Iterator[None]:
    """Processes started within pass over Ctrl-C, which reaches all of them: this one ends the others."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _serve(work: Callable[[list[T]], S], part: list[T], writing: Connection) -> None:
    try:
        writing.send(work(part))
    except Exception:
        os._exit(1)  # whoever waits does the share again, and meets the same error where it can be told


def _received(reading: Connection) -> tuple[Any] | None:
    try:
        return (reading.recv(),)
    except (EOFError, OSError):
        return None
