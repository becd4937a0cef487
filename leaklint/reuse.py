"""A program's files to what an earlier run has found in them, where that still holds; neither LibCST nor the solver.

It holds when no file has changed, and when those that have changed say the same as before but for the lines it stands
on (an edit of comments, blank lines or docstrings), in files whose text mattered to no finding.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from msgspec.structs import replace

from leaklint.analysis import Analysis, Remembered
from leaklint.cache import Cache, Kind, digest, pack, unpack
from leaklint.config import Config
from leaklint.files import SourceFile, package_around

if TYPE_CHECKING:
    from leaklint.index import Code, Head, ModuleSummary

_SPARE = 16  # programs, and settings of one, that a cache remembers besides the last one
_PARTS = 256  # parts of programs, besides those that were solved last
_CHANGED = 32  # files; where more have changed, something else has than comments


def recall(cache: Cache, files: Sequence[SourceFile], config: Config) -> Analysis | None:
    """The analysis of an earlier run that another one would repeat; None where only another one can tell."""
    start = time.perf_counter()
    known = cache.load(Kind.RUN, _key(files, config))
    lines = _more_lines(cache, files, known)
    if lines is None or not isinstance(known, Remembered):
        return None
    seconds = {"recall": time.perf_counter() - start}
    before = known.analysis.statistics
    statistics = replace(before, lines=before.lines + lines, cached_files=len(files), seconds=seconds)
    return replace(known.analysis, statistics=statistics)


def remember(cache: Cache, files: Sequence[SourceFile], config: Config, analysis: Analysis) -> None:
    """Keep an analysis of `files` for the next run."""
    key = _key(files, config)
    cache.store(Kind.RUN, key, pack(Remembered(analysis, _digests(files))))
    cache.trim(Kind.RUN, {key}, _SPARE)


def unit_key(files: Sequence[SourceFile], config: Config, said: Sequence[str]) -> str:
    """What the analysis of a part of a program is kept under; `said` is what the whole decides about the part."""
    return digest(_key(files, config), *said)


def recall_unit(cache: Cache, key: str, files: Sequence[SourceFile]) -> Analysis | None:
    """The analysis of a part of a program as an earlier run has left it, where that still holds."""
    known = cache.load(Kind.UNIT, key)
    holds = _more_lines(cache, files, known) is not None
    return known.analysis if isinstance(known, Remembered) and holds else None


def remember_units(cache: Cache, solved: Sequence[tuple[str, Sequence[SourceFile], Analysis]]) -> None:
    """Keep the analyses of parts of a program under their keys, but for those in which something went wrong."""
    for key, files, analysis in solved:
        if not any(problem.internal for problem in analysis.problems):
            cache.store(Kind.UNIT, key, pack(Remembered(analysis, _digests(files))))
    cache.trim(Kind.UNIT, {key for key, _, _ in solved}, _PARTS)


def _digests(files: Sequence[SourceFile]) -> tuple[tuple[str, str], ...]:
    return tuple((file.path, file.digest) for file in files)


def _key(files: Sequence[SourceFile], config: Config) -> str:
    """Identifies a program's files by path, and the settings that its analysis reads."""
    settings = [part for model in config.models for part in (str(model), model.read_text("utf-8"))]
    read = (
        config.src,
        package_around(config.root),
        config.ids,
        config.sent_ids,
        config.check_tests,
        config.min_confidence.value,
    )
    return digest(repr(read), *settings, "", *(file.path for file in files))


def _more_lines(cache: Cache, files: Sequence[SourceFile], known: object) -> int | None:
    """How many lines there are more than when `known` was found; None when it does not hold any more."""
    if not isinstance(known, Remembered):
        return None
    before = dict(known.digests)
    changed = [file for file in files if before.get(file.path) != file.digest]
    if len(changed) > _CHANGED or any(file.path in known.analysis.consulted for file in changed):
        return None
    more = 0
    for file in changed:
        old, new = _earlier_summary(cache, file.path, before[file.path]), _summary(cache, file)
        if old is None or new is None or not _is_the_same(old, new):
            return None
        cache.store(Kind.SUMMARY, summary_key(file.path, file.digest), pack_summary(new))
        more += new.lines - old.lines
    return more


def _is_the_same(old: ModuleSummary, new: ModuleSummary) -> bool:
    from leaklint.index.shifted import same_but_for_lines  # brings the parser, which few runs get this far to need

    return same_but_for_lines(old, new)


# --- summaries -------------------------------------------------------------------------------------------------------


def summary_key(path: str, content: str) -> str:
    """What the summary of a file is kept under; the path is part of it."""
    return digest(path, content)


def pack_summary(summary: ModuleSummary) -> bytes:
    """A summary as it is kept: the head, and the code for whoever asks for it."""
    return pack((summary.head, pack(summary.code)))


def cached_summary(cache: Cache, file: SourceFile) -> ModuleSummary | None:
    """The summary of a file by its digest, if it was kept; its code is read when it is asked for."""
    from leaklint.index import ModuleSummary

    head, code = _kept(cache, file.path, file.digest)
    return ModuleSummary(head, partial(_code, file, code)) if head is not None else None


def _earlier_summary(cache: Cache, path: str, content: str) -> ModuleSummary | None:
    """The summary of a file as it was, by the digest of what it was then."""
    from leaklint.index import Code, ModuleSummary

    head, packed = _kept(cache, path, content)
    code = _unpacked(packed) if head is not None else None
    return ModuleSummary(head, code) if head is not None and isinstance(code, Code) else None


def _kept(cache: Cache, path: str, content: str) -> tuple[Head | None, bytes]:
    from leaklint.index import Head

    match cache.load(Kind.SUMMARY, summary_key(path, content)):
        case (Head(path=known, digest=digest) as head, bytes(code)) if (known, digest) == (path, content):
            return head, code
    return None, b""


def _code(file: SourceFile, packed: bytes) -> Code:
    from leaklint.index import Code, summarise

    code = _unpacked(packed)
    return code if isinstance(code, Code) else summarise(file.path, file.text, file.digest).code


def _unpacked(packed: bytes) -> object:
    try:
        return unpack(packed)
    except Exception:  # bytes that nobody vouches for may raise anything
        return None


def _summary(cache: Cache, file: SourceFile) -> ModuleSummary | None:
    from leaklint.index import summarise

    try:
        return cached_summary(cache, file) or summarise(file.path, file.text, file.digest)
    except SyntaxError:
        return None
