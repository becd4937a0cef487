"""A program's files to their summaries: those that were kept from the cache, many others by several processes at once.

Which way a summary came cannot be seen in the outcome.
"""

from __future__ import annotations

import gc
import pickle
import sys
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from leaklint import reuse, workers
from leaklint.cache import Cache, Kind
from leaklint.files import SourceFile
from leaklint.finding import Problem
from leaklint.index import Code, Head, ModuleSummary, summarise
from leaklint.progress import Progress, silent
from leaklint.workers import Worker

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

CODE, UNITS = "code", "units"  # what is asked of another process
_HEADS = "heads"

_WORTHWHILE = 600_000 if workers.FORKS else 3_000_000  # characters that are parsed while a process starts, and more
_RECURSION = 30_000
_SPARE = 4096  # summaries of other programs and of earlier texts that a cache keeps


class Indexed(Struct, frozen=True):
    """The summaries with their texts, in the order of the files, and the files that have none."""

    modules: tuple[tuple[ModuleSummary, str], ...]
    problems: tuple[Problem, ...]
    cached: int  # summaries that an earlier run had left
    elsewhere: tuple[Share, ...]  # files whose code another process holds


class Share:
    """Files that another process has summarised: it keeps their code for whoever asks for it."""

    def __init__(self, worker: Worker | None, files: Sequence[SourceFile]) -> None:
        self.files = {file.path: file for file in files}
        self.is_busy = worker is None  # whether it has other things to do than to hand out code
        self._worker = worker
        self._wanted: set[str] = set()

    def want(self, paths: Iterable[str]) -> None:
        """Say whose code will be asked for: it is sent, and need not be waited for then."""
        wanted = [path for path in paths if path in self.files and path not in self._wanted]
        if wanted and self._worker is not None and not self.is_busy:
            self._wanted.update(wanted)
            self._worker.ask(CODE, wanted)

    def ask(self, *question: object) -> None:
        """Give it something else to do."""
        if self._worker is not None:
            self.is_busy = True
            self._worker.ask(*question)

    def answer(self, key: Hashable) -> tuple[Any] | None:
        """What it has to say to that; None when it is no more."""
        return self._worker.answer(key) if self._worker is not None else None

    def code(self, path: str) -> Code:
        """The code of one of the files; it is read here where the other process has no time for it."""
        self.want([path])
        sent = self.answer(path) if path in self._wanted else None
        return pickle.loads(sent[0]) if sent is not None else summarised_again(self.files[path])


def summarised_again(file: SourceFile) -> Code:
    """The code of a file of which a summary is known already."""
    return summarise(file.path, file.text, file.digest).code


@contextmanager
def indexed(
    files: Sequence[SourceFile],
    cache: Cache | None,
    jobs: int,
    progress: Progress,
    answer: Callable[..., Iterable[tuple[Hashable, object]]] = lambda *_: (),
) -> Iterator[Indexed]:
    """Summarise each file; one that cannot be parsed is a problem.

    Other processes take part where that pays. They stay there within the block: each hands out code it has lowered,
    and to any other question gives what `answer`, called with its summaries by path, has to say to that.
    """
    known = _kept(files, cache) if cache is not None else {}
    missing = [file for file in files if file.path not in known]
    parts = workers.shares([(file.path, len(file.text)) for file in missing], jobs, _WORTHWHILE)
    shares = [[missing[at] for at in part] for part in parts]
    with workers.team(_serve, [(cache, part, answer if workers.FORKS else None) for part in shares[1:]]) as team:
        found: dict[str, ModuleSummary | Problem] = {**known, **_summarised(shares[0], cache, progress)}
        elsewhere = tuple(Share(worker, part) for worker, part in zip(team, shares[1:], strict=True))
        for share in elsewhere:
            found |= _received(share, cache, progress)
        if cache is not None and missing:
            cache.trim(Kind.SUMMARY, {reuse.summary_key(file.path, file.digest) for file in files}, _SPARE)
        outcomes = [(found[file.path], file.text) for file in files]
        yield Indexed(
            modules=tuple((summary, text) for summary, text in outcomes if isinstance(summary, ModuleSummary)),
            problems=tuple(problem for problem, _ in outcomes if isinstance(problem, Problem)),
            cached=len(known),
            elsewhere=elsewhere,
        )


def _kept(files: Sequence[SourceFile], cache: Cache) -> dict[str, ModuleSummary]:
    kept = {file.path: reuse.cached_summary(cache, file) for file in files}
    return {path: summary for path, summary in kept.items() if summary is not None}


def _summarised(
    files: Sequence[SourceFile], cache: Cache | None, progress: Progress
) -> dict[str, ModuleSummary | Problem]:
    outcomes: dict[str, ModuleSummary | Problem] = {}
    for number, file in enumerate(files):
        if number % 64 == 0:
            progress(f"indexing {file.path}", number, len(files))
        outcome = outcomes[file.path] = _outcome(file)
        if cache is not None and isinstance(outcome, ModuleSummary):
            _keep(cache, file, reuse.pack_summary(outcome))
    return outcomes


def _received(share: Share, cache: Cache | None, progress: Progress) -> dict[str, ModuleSummary | Problem]:
    """What another process says of its files, all of which are read here when it says nothing."""
    sent = share.answer(_HEADS)
    if sent is None:
        share.is_busy = True
        return _summarised([*share.files.values()], cache, progress)
    return {
        path: ModuleSummary(outcome, partial(share.code, path)) if isinstance(outcome, Head) else outcome
        for path, outcome in zip(share.files, sent[0], strict=True)
    }


def _serve(
    connection: Connection,
    cache: Cache | None,
    files: Sequence[SourceFile],
    answer: Callable[..., Iterable[tuple[Hashable, object]]] | None,
) -> None:
    """Summarise files, send their heads, and answer for as long as somebody asks."""
    with roomy():
        found = _summarised(files, cache, silent)
        heads = [outcome.head if isinstance(outcome, ModuleSummary) else outcome for outcome in found.values()]
        connection.send((_HEADS, heads))
        while True:
            kind, *asked = connection.recv()
            for item in _codes(found, *asked) if kind == CODE else answer(found, *asked) if answer is not None else ():
                connection.send(item)


def _codes(found: Mapping[str, ModuleSummary | Problem], paths: Iterable[str]) -> Iterator[tuple[Hashable, object]]:
    for path in paths:
        summary = found[path]
        if isinstance(summary, ModuleSummary):
            yield path, pickle.dumps(summary.code, 5)


def _keep(cache: Cache, file: SourceFile, packed: bytes) -> None:
    cache.store(Kind.SUMMARY, reuse.summary_key(file.path, file.digest), packed)


def _outcome(file: SourceFile) -> ModuleSummary | Problem:
    try:
        return summarise(file.path, file.text, file.digest)
    except SyntaxError as error:
        running = f"{sys.version_info.major}.{sys.version_info.minor}"
        return Problem(
            file.path,
            f"cannot be parsed: {error.msg}",
            f"leaklint runs on Python {running}; is this file for another version, or not Python?",
            error.lineno or 0,
            error.offset or 0,
        )


@contextmanager
def roomy() -> Iterator[None]:
    """Room for deep programs, and no collection of garbage that nobody makes: summaries hold no cycles."""
    limit, enabled = sys.getrecursionlimit(), gc.isenabled()
    sys.setrecursionlimit(max(limit, _RECURSION))
    gc.disable()
    try:
        yield
    finally:
        sys.setrecursionlimit(limit)
        if enabled:
            gc.enable()
