"""A program's files to their summaries: those that were kept from the cache, many others by several processes at once.

Which way a summary came cannot be seen in the outcome.
"""

from __future__ import annotations

import gc
import pickle
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial

from msgspec import Struct

from leaklint import reuse, workers
from leaklint.cache import Cache, Kind
from leaklint.files import SourceFile
from leaklint.finding import Problem
from leaklint.index import ModuleSummary, summarise
from leaklint.progress import Progress

_WORTHWHILE = 600_000 if workers.FORKS else 3_000_000  # characters that are parsed while a process starts, and more
_RECURSION = 30_000
_SPARE = 4096  # summaries of other programs and of earlier texts that a cache keeps


class Indexed(Struct, frozen=True):
    """The summaries with their texts, in the order of the files, and the files that have none."""

    modules: tuple[tuple[ModuleSummary, str], ...]
    problems: tuple[Problem, ...]
    cached: int  # summaries that an earlier run had left


def index(files: Sequence[SourceFile], cache: Cache | None, jobs: int, progress: Progress) -> Indexed:
    """Summarise each file; one that cannot be parsed is a problem."""
    known = _kept(files, cache) if cache is not None else {}
    missing = [file for file in files if file.path not in known]
    found = {**known, **_summarised(missing, cache, jobs, progress)}
    if cache is not None and missing:
        cache.trim(Kind.SUMMARY, {reuse.summary_key(file.path, file.digest) for file in files}, _SPARE)
    outcomes = [(found[file.path], file.text) for file in files]
    return Indexed(
        modules=tuple((summary, text) for summary, text in outcomes if isinstance(summary, ModuleSummary)),
        problems=tuple(problem for problem, _ in outcomes if isinstance(problem, Problem)),
        cached=len(known),
    )


def _kept(files: Sequence[SourceFile], cache: Cache) -> dict[str, ModuleSummary]:
    kept = {file.path: reuse.cached_summary(cache, file) for file in files}
    return {path: summary for path, summary in kept.items() if summary is not None}


def _summarised(
    files: list[SourceFile], cache: Cache | None, jobs: int, progress: Progress
) -> dict[str, ModuleSummary | Problem]:
    parts = workers.shares(files, [len(file.text) for file in files], jobs, _WORTHWHILE)
    here, there = partial(_outcomes, cache, progress), partial(_packed, cache)
    outcomes = workers.spread(parts, here, there, _unpacked) if len(parts) > 1 else [here(part) for part in parts]
    return {
        file.path: outcome
        for part, found in zip(parts, outcomes, strict=True)
        for file, outcome in zip(part, found, strict=True)
    }


def _outcomes(cache: Cache | None, progress: Progress, files: list[SourceFile]) -> list[ModuleSummary | Problem]:
    outcomes: list[ModuleSummary | Problem] = []
    for number, file in enumerate(files):
        if number % 64 == 0:
            progress(f"indexing {file.path}", number, len(files))
        outcomes.append(_outcome(file))
        if cache is not None and isinstance(outcomes[-1], ModuleSummary):
            _keep(cache, file, reuse.pack_summary(outcomes[-1]))
    return outcomes


def _packed(cache: Cache | None, files: list[SourceFile]) -> list[bytes | Problem]:
    answers: list[bytes | Problem] = []
    with roomy():
        for file in files:
            outcome = _outcome(file)
            answers.append(reuse.pack_summary(outcome) if isinstance(outcome, ModuleSummary) else outcome)
            if cache is not None and isinstance(answers[-1], bytes):
                _keep(cache, file, answers[-1])
    return answers


def _unpacked(answers: list[bytes | Problem]) -> list[ModuleSummary | Problem]:
    return [_summary(answer) if isinstance(answer, bytes) else answer for answer in answers]


def _summary(packed: bytes) -> ModuleSummary:
    head, code = pickle.loads(packed)  # from a process that was started here
    return ModuleSummary(head, partial(pickle.loads, code))


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
