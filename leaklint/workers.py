"""Other processes that work for this one: they are asked, and what they answer is that of this one.

Pipes only: no semaphores and no shared memory, which not every machine has. A process that cannot be started, or dies,
answers nothing: then its work is done here after all.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from multiprocessing.process import BaseProcess

FORKS = sys.platform == "linux"
"""Whether a process starts as a copy of this one: at no cost, and with all that this one holds."""


_UNEVEN = 1.1  # how much more than its part one share may have before a folder is taken apart for it
_FINE = 0.01  # of a share: folders smaller than that are left whole


def usable() -> int:
    """Processors that this process may use."""
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def shares(files: Sequence[tuple[str, int]], jobs: int, least: int) -> list[list[int]]:
    """At most `jobs` shares of files, given by path and size, as positions in ascending order.

    What lies in one folder goes to one share, as far as the shares become about the same size; none is smaller than
    about `least`. Gives one share, maybe empty, where there is not enough for two.
    """
    total = sum(size for _, size in files)
    count = max(1, min(jobs, total // least, len(files)))
    if count == 1:
        return [[*range(len(files))]]
    even = limit = total / count
    while True:
        groups = [*_folders(files, range(len(files)), 0, limit)]
        found, heaviest = _dealt(groups, [sum(files[at][1] for at in group) for group in groups], count)
        if heaviest <= even * _UNEVEN or limit < even * _FINE:
            return found
        limit /= 2


def _folders(
    files: Sequence[tuple[str, int]], group: Sequence[int], depth: int, limit: float
) -> Iterator[Sequence[int]]:
    """A group of files as it is, or its folders, as far down as one holds more than `limit`."""
    if len(group) == 1 or sum(files[at][1] for at in group) <= limit:
        yield group
        return
    inner: dict[str, list[int]] = {}
    for at in group:
        inner.setdefault("/".join(files[at][0].split("/")[: depth + 1]), []).append(at)
    for folder in inner.values():
        yield from _folders(files, folder, depth + 1, limit)


def _dealt(groups: Sequence[Sequence[int]], sizes: Sequence[int], count: int) -> tuple[list[list[int]], int]:
    """The groups in shares, and the size of the largest share."""
    loads = [0] * count
    found: list[list[int]] = [[] for _ in loads]
    for number in sorted(range(len(groups)), key=lambda number: -sizes[number]):
        lightest = loads.index(min(loads))
        loads[lightest] += sizes[number]
        found[lightest] += groups[number]
    return [sorted(share) for share in found], max(loads)


class Piles:
    """Piles of numbered work that several processes take from, each piece once.

    A pile is a pipe that holds its numbers: whoever reads one has it. Where processes do not fork, or there can be no
    pipe, each process takes all of its own pile and nothing else.
    """

    def __init__(self, sizes: Sequence[int]) -> None:
        self._sizes = sizes
        self._ends: list[int] = []
        with suppress(OSError):
            for size in sizes if FORKS and len(sizes) > 1 else ():
                self._ends.append(_filled(size))

    def take(self, own: int) -> Iterator[tuple[int, int]]:
        """The pile and the number of each piece for a process: those of its own pile first, then what others leave."""
        if len(self._ends) < len(self._sizes):
            yield from ((own, number) for number in range(self._sizes[own]))
            return
        for pile in (own, *(other for other in range(len(self._ends)) if other != own)):
            while piece := os.read(self._ends[pile], _PIECE):
                yield pile, int.from_bytes(piece, "little")

    def close(self) -> None:
        """Give back the pipes of this process."""
        for end in self._ends:
            os.close(end)


_PIECE = 4  # bytes of a number
PIECES = 1024  # as many as a pipe holds for sure: a page, where a user has many pipes already


def _filled(size: int) -> int:
    """The end of a pipe that numbers are read from, each by one process only."""
    assert size <= PIECES
    reading, writing = os.pipe()
    with open(writing, "wb") as end:  # noqa: PTH123  # a descriptor
        end.write(b"".join(number.to_bytes(_PIECE, "little") for number in range(size)))
    return reading


class Worker:
    """A process and what it has answered so far: pairs of a key and a value, each of which is taken at most once."""

    def __init__(self, process: BaseProcess, connection: Connection) -> None:
        self._process = process
        self.connection = connection
        self._answers: dict[Hashable, Any] = {}
        self._news = threading.Condition()
        self._ended = False
        self._reader = threading.Thread(target=self._read, daemon=True)  # else whoever answers would have to wait

    def listen(self) -> None:
        """Begin to receive; after all processes were started, because those that are copied must have no threads."""
        self._reader.start()

    def ask(self, *question: object) -> None:
        """Send what must be picklable; nothing happens when the process is no more."""
        try:
            self.connection.send(question)
        except OSError:
            self._end()

    def answer(self, key: Hashable, seconds: float | None = None) -> tuple[Any] | None:
        """What came under a key, as soon as it does; None when it never will, or has not within some seconds."""
        with self._news:
            self._news.wait_for(lambda: key in self._answers or self._ended, seconds)
            return (self._answers.pop(key),) if key in self._answers else None

    def end(self) -> None:
        """Stop the process, whatever it does."""
        self._process.kill()
        self._process.join()
        if self._reader.ident is not None:
            self._reader.join()
        self.connection.close()

    def _read(self) -> None:
        try:
            while True:
                key, value = self.connection.recv()
                with self._news:
                    self._answers[key] = value
                    self._news.notify_all()
        except (EOFError, OSError):
            self._end()

    def _end(self) -> None:
        with self._news:
            self._ended = True
            self._news.notify_all()


@contextmanager
def team(work: Callable[..., None], parts: Sequence[tuple[object, ...]]) -> Iterator[list[Worker | None]]:
    """A process for each of `parts` that calls `work` with its end of a pipe and the part; they end with the block.

    What a part holds must be picklable where processes do not fork. None stands for one that could not be started.
    """
    started: list[Worker | None] = []
    try:
        for part in parts:
            started.append(_started(work, part, [worker.connection for worker in started if worker is not None]))
        for worker in filter(None, started):
            worker.listen()
        yield started
    finally:
        for worker in filter(None, started):
            worker.end()


def _started(work: Callable[..., None], part: tuple[object, ...], open_here: Sequence[Connection]) -> Worker | None:
    import multiprocessing  # 8 ms that a small program need not pay

    context = multiprocessing.get_context("fork" if FORKS else "spawn")
    try:
        here, there = context.Pipe()
    except OSError:
        return None
    copied = (*open_here, here) if FORKS else ()
    process = context.Process(target=_serve, args=(work, there, part, copied), daemon=True)  # type: ignore[attr-defined]
    try:
        with _deaf():
            process.start()
    except OSError:
        here.close()
        return None
    finally:
        there.close()  # else its end would never be seen
    return Worker(process, here)


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


def _serve(
    work: Callable[..., None], connection: Connection, part: tuple[object, ...], copied: Sequence[Connection]
) -> None:
    for other in copied:
        other.close()  # or nobody would see this process go, nor it the one that has started it
    try:
        work(connection, *part)
    except (EOFError, OSError):
        pass  # nobody asks any more
    except Exception:
        os._exit(1)  # whoever waits does the work again, and meets the same error where it can be told
