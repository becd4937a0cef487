"""A program's files to their summaries: those that were kept from the cache, many others by several processes at once.

Which way a summary came cannot be seen in the outcome.
"""

from __future__ import annotations

import gc
import pickle
import sys
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, Any, TypeAlias

from msgspec import Struct

from leaklint import reuse, workers
from leaklint.cache import Cache, Kind
from leaklint.files import SourceFile
from leaklint.finding import Problem
from leaklint.index import Code, Head, ModuleSummary, summarise
from leaklint.progress import Progress, silent
from leaklint.workers import Piles, Worker

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

CODE, UNITS, _KEEP = "code", "units", "keep"  # what is asked of another process
_HEADS = "heads"

Answer: TypeAlias = Callable[..., Iterable[tuple[Hashable, object]]]
"""Called with summaries by path and a question, gives keys and values for whoever has asked."""

_WORTHWHILE = 800_000 if workers.FORKS else 4_000_000  # characters that are parsed while a process starts, and more
_PIECE = 30_000  # characters that a process takes at a time
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

    def __init__(self, worker: Worker | None) -> None:
        self.files: dict[str, SourceFile] = {}
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
    missing = {file.path: file for file in files if file.path not in known}
    shares = _shares([*missing.values()], jobs)
    piles = workers.Piles([len(share) for share in shares])
    with (
        closing(piles),
        workers.team(_serve, [_part(shares, n, piles, cache, prepare) for n in range(1, len(shares))]) as team,
    ):
        found: dict[str, _Outcome] = {path: kept.summary for path, kept in known.items()}
        found |= _summarised((shares[pile][piece] for pile, piece in piles.take(0)), progress, len(missing))
        prepare()
        elsewhere = tuple(map(Share, team))
        for share in elsewhere:
            found |= _received(share, missing)
        left = [file for path, file in missing.items() if path not in found]  # by processes that are no more
        found |= _summarised([left], progress, len(left))
        outcomes = [(found[file.path], file.text) for file in files]
        yield Indexed(
            modules=tuple((summary, text) for summary, text in outcomes if isinstance(summary, ModuleSummary)),
            problems=tuple(problem for problem, _ in outcomes if isinstance(problem, Problem)),
            kept=known,
            elsewhere=elsewhere,
        )


_Shares: TypeAlias = "list[list[list[SourceFile]]]"  # for each process the pieces of work that it is to begin with


def _shares(files: Sequence[SourceFile], jobs: int) -> _Shares:
    sizes = [(file.path, len(file.text)) for file in files]
    shares = workers.shares(sizes, jobs, _WORTHWHILE) if jobs > 1 else [[*range(len(files))]]
    piece = max(_PIECE, sum(size for _, size in sizes) // (workers.PIECES - 1))
    return [[[files[at] for at in group] for group in _pieces(share, sizes, piece)] for share in shares]


def _pieces(share: Sequence[int], sizes: Sequence[tuple[str, int]], least: int) -> Iterator[list[int]]:
    """A share in pieces that are not smaller than `least`, but for the last; each is a few files, or a large one."""
    piece: list[int] = []
    room = least
    for at in share:
        piece.append(at)
        room -= sizes[at][1]
        if room <= 0:
            yield piece
            piece, room = [], least
    if piece:
        yield piece


def _part(
    shares: _Shares, number: int, piles: Piles, cache: Cache | None, prepare: Callable[[], Answer]
) -> tuple[object, ...]:
    """What another process is to know: of the shares all where it is a copy of this one, else its own."""
    if workers.FORKS:
        return cache, shares, number, piles, prepare
    return cache, [share if at == number else [] for at, share in enumerate(shares)], number, piles, None


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


def _summarised(pieces: Iterable[Sequence[SourceFile]], progress: Progress, count: int) -> dict[str, _Outcome]:
    outcomes: dict[str, _Outcome] = {}
    room = _TREES
    for number, file in enumerate(chain.from_iterable(pieces)):
        if number % 64 == 0:
            progress(f"indexing {file.path}", number, count)
        room -= len(file.text)
        outcomes[file.path] = _outcome(file, keep=room > 0)
    return outcomes


def _received(share: Share, files: Mapping[str, SourceFile]) -> dict[str, _Outcome]:
    """What another process says of the files that it has taken; nothing when it is no more."""
    sent = share.answer(_HEADS)
    if sent is None:
        share.is_busy = True
        return {}
    share.files = {path: files[path] for path in sent[0]}
    return {
        path: ModuleSummary(outcome, partial(share.code, path)) if isinstance(outcome, Head) else outcome
        for path, outcome in sent[0].items()
    }


def _serve(
    connection: Connection,
    cache: Cache | None,
    shares: _Shares,
    number: int,
    piles: Piles,
    prepare: Callable[[], Answer] | None,
) -> None:
    """Summarise files, send their heads, and answer for as long as somebody asks."""
    with roomy():
        found = _summarised((shares[pile][piece] for pile, piece in piles.take(number)), silent, 0)
        heads = {
            path: outcome.head if isinstance(outcome, ModuleSummary) else outcome for path, outcome in found.items()
        }
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
