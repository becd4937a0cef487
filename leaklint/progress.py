"""How far a run has come, and what took how long: one status line on a terminal's stderr, and seconds by stage.

It never slows a short run: the first line appears after a second.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO

Progress = Callable[[str, int, int], None]
"""Called as `progress(stage, done, total)`; the stage may name the file at hand. A total of 0 means unknown."""

_FIRST = 1.0  # seconds before anything is shown
_EVERY = 0.1  # seconds between two redraws


def silent(stage: str, done: int, total: int) -> None:
    """A progress that shows nothing."""


class Meter:
    """A status line that is redrawn in place; as a context manager it leaves the line empty behind it."""

    def __init__(self, stream: TextIO, clock: Callable[[], float] = time.monotonic) -> None:
        self._stream = stream
        self._clock = clock
        self._next = clock() + _FIRST
        self._drawn = False

    def __enter__(self) -> Meter:
        return self

    def __exit__(self, *exception: object) -> None:
        if self._drawn:
            self._stream.write("\r\x1b[K")
            self._stream.flush()

    def __call__(self, stage: str, done: int, total: int) -> None:
        now = self._clock()
        if now < self._next:
            return
        self._next = now + _EVERY
        self._drawn = True
        count = f" {done}/{total}" if total else ""
        printable = "".join(character if character.isprintable() else "?" for character in stage)
        self._stream.write(f"\r\x1b[K{printable[:60]}{count}")
        self._stream.flush()


class Clock:
    """Wall time by stage."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def __call__(self, stage: str) -> Iterator[None]:
        start = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[stage] = self.seconds.get(stage, 0.0) + time.perf_counter() - start
