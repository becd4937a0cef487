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
from typing import TYPE_CHECKING, Any, TypeAlias

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

CODE, UNITS, _KEEP = "code", "units", "keep"  # what is asked of another process
_HEADS = "heads"

Answer: TypeAlias = Callable[..., Iterable[tuple[Hashable, object]]]
"""Called with summaries by path and a question, gives keys and values for whoever has asked."""

_WORTHWHILE = 30_000 if workers.FORKS else 150_000  # lines and parentheses read while a process starts, and more
_BESIDES = 6_000  # of the same, what this process has to do besides: it starts the others and imports the solver
_READING = 1.5e-7  # seconds for a character that is parsed and lowered
_RECURSION = 30_000
_TREES = 6_000_000  # characters of files whose trees are kept until it is clear which of them are needed
_SPARE = 4096  # summaries of other programs and of earlier texts that a cache keeps


class Indexed(Struct, frozen=True):
    """The summaries with their texts, in the order of the files, and the files that have none."""

    modules: tuple[tuple[ModuleSummary, str], ...]
    problems: tuple[Problem, ...]
    kept: Mapping[str, reuse.Kept]  # what an earlier run had left, by path
    elsewhere: tuple[Share, ...]  # files whose code another process holds


_Outcome: TypeAlias = ModuleSummary | Problem


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
        self.is_busy = True
        self.tell(*question)

    def tell(self, *news: object) -> None:
        """Ask what has no answer."""
        if self._worker is not None:
            self._worker.ask(*news)

    def answer(self, key: Hashable, seconds: float | None = None) -> tuple[Any] | None:
        """What it has to say to that, at most after some seconds; None when it is no more, or has not said it yet."""
        return self._worker.answer(key, seconds) if self._worker is not None else None

    def keep(self) -> bool:
        """Have its summaries put into the cache; whether they are."""
        if self._worker is None or self.is_busy:
            return False
        self._worker.ask(_KEEP)
        return self.answer(_KEEP) is not None

    def code(self, path: str) -> Code:
        """The code of one of the files; it is read here where that takes less time than to wait for it."""
        self.want([path])
        sent = self.answer(path, len(self.files[path].text) * _READING) if path in self._wanted else None
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
    prepare: Callable[[], Answer],
) -> Iterator[Indexed]:
    """Summarise each file; one that cannot be parsed is a problem.

    Other processes take part where that pays. They stay there within the block: each hands out code it has lowered.
    `prepare` is called in each when its files are done, and gives what answers any other question: it is called with
    the summaries by path and the question.
    """
    known = _known(files, cache) if cache is not None else {}
    missing = [file for file in files if file.path not in known]
    shares = _shares(missing, jobs)
    with workers.team(_serve, [(cache, part, prepare if workers.FORKS else None) for part in shares[1:]]) as team:
        found: dict[str, _Outcome] = {path: kept.summary for path, kept in known.items()}
        found |= _summarised(shares[0], progress)
        prepare()
        elsewhere = tuple(Share(worker, part) for worker, part in zip(team, shares[1:], strict=True))
        for share in elsewhere:
            found |= _received(share, progress)
        outcomes = [(found[file.path], file.text) for file in files]
        yield Indexed(
            modules=tuple((summary, text) for summary, text in outcomes if isinstance(summary, ModuleSummary)),
            problems=tuple(problem for problem, _ in outcomes if isinstance(problem, Problem)),
            kept=known,
            elsewhere=elsewhere,
        )


def _shares(files: Sequence[SourceFile], jobs: int) -> list[list[SourceFile]]:
    """The files by process; what there is to parse goes with lines and parentheses, where texts may be long."""
    if jobs == 1:
        return [[*files]]
    work = [(file.path, file.text.count("\n") + file.text.count("(")) for file in files]
    return [[files[at] for at in share] for share in workers.shares(work, jobs, _WORTHWHILE, _BESIDES)]


def keep(cache: Cache, indexed: Indexed) -> None:
    """Put into the cache what it lacks: of each file the head, and the code where it was read."""
    done = {path for share in indexed.elsewhere if share.keep() for path in share.files}
    _keep(cache, [s for s, _ in indexed.modules if s.path not in done and _is_new(s, indexed.kept.get(s.path))])
    if len(indexed.kept) < len(indexed.modules):
        cache.trim(Kind.SUMMARY, {_key(summary.head) for summary, _ in indexed.modules}, _SPARE)


def _is_new(summary: ModuleSummary, kept: reuse.Kept | None) -> bool:
    return kept is None or (summary.is_read and not kept.is_whole)


def _keep(cache: Cache, summaries: Iterable[ModuleSummary]) -> None:
    for summary in summaries:
        cache.store(Kind.SUMMARY, _key(summary.head), reuse.pack_summary(summary))


def _key(head: Head) -> str:
    return reuse.summary_key(head.path, head.digest)


def _known(files: Sequence[SourceFile], cache: Cache) -> dict[str, reuse.Kept]:
    found = {file.path: reuse.cached_summary(cache, file) for file in files}
    return {path: kept for path, kept in found.items() if kept is not None}


def _summarised(files: Sequence[SourceFile], progress: Progress) -> dict[str, _Outcome]:
    outcomes: dict[str, _Outcome] = {}
    room = _TREES
    for number, file in enumerate(files):
        if number % 64 == 0:
            progress(f"indexing {file.path}", number, len(files))
        room -= len(file.text)
        outcomes[file.path] = _outcome(file, keep=room > 0)
    return outcomes


def _received(share: Share, progress: Progress) -> dict[str, _Outcome]:
    """What another process says of its files, all of which are read here when it says nothing."""
    sent = share.answer(_HEADS)
    if sent is None:
        share.is_busy = True
        return _summarised([*share.files.values()], progress)
    return {
        path: ModuleSummary(outcome, partial(share.code, path)) if isinstance(outcome, Head) else outcome
        for path, outcome in zip(share.files, sent[0], strict=True)
    }


def _serve(
    connection: Connection,
    cache: Cache | None,
    files: Sequence[SourceFile],
    prepare: Callable[[], Answer] | None,
) -> None:
    """Summarise files, send their heads, and answer for as long as somebody asks."""
    with roomy():
        found = _summarised(files, silent)
        heads = [outcome.head if isinstance(outcome, ModuleSummary) else outcome for outcome in found.values()]
        connection.send((_HEADS, heads))
        answer = prepare() if prepare is not None else None
        while True:
            kind, *asked = connection.recv()
            if kind == _KEEP and cache is not None:
                _keep(cache, [outcome for outcome in found.values() if isinstance(outcome, ModuleSummary)])
                connection.send((_KEEP, None))
            elif kind == CODE:
                for item in _codes(found, *asked):
                    connection.send(item)
            elif answer is not None:
                for item in answer(found, *asked):
                    connection.send(item)


def _codes(found: Mapping[str, _Outcome], paths: Iterable[str]) -> Iterator[tuple[Hashable, object]]:
    for path in paths:
        summary = found[path]
        if isinstance(summary, ModuleSummary):
            yield path, pickle.dumps(summary.code, 5)


def _outcome(file: SourceFile, *, keep: bool) -> _Outcome:
    try:
        return summarise(file.path, file.text, file.digest, keep=keep)
    except SyntaxError as error:
        return not_parsed(file.path, error.msg, error.lineno or 0, error.offset or 0)


def not_parsed(path: str, why: str, line: int = 0, column: int = 0) -> Problem:
    """The problem with a file of which there is no code."""
    running = f"{sys.version_info.major}.{sys.version_info.minor}"
    hint = f"leaklint runs on Python {running}; is this file for another version, or not Python?"
    return Problem(path, f"cannot be parsed: {why}", hint, line, column)


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
