"""A program's files to what an earlier run has found in them, where that still holds; neither LibCST nor the solver.

It holds when no file has changed, and when those that have changed say the same as before but for the lines it stands
on (an edit of comments, blank lines or docstrings), in files whose text mattered to no finding; and when they are
files whose code nobody needed, as most tests, and what was asked of them otherwise is answered as before.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from leaklint.analysis import Analysis, Asked, Remembered
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
    more = _more(cache, files, known)
    if more is None or not isinstance(known, Remembered):
        return None
    seconds = {"recall": time.perf_counter() - start}
    before = known.analysis.statistics
    statistics = replace(before, cached_files=len(files), seconds=seconds)
    statistics = replace(statistics, lines=before.lines + more[0], functions=before.functions + more[1])
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
    holds = _more(cache, files, known) is not None
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


def _more(cache: Cache, files: Sequence[SourceFile], known: object) -> tuple[int, int] | None:
    """How many lines and functions there are more than when `known` was found; None when it does not hold any more."""
    if not isinstance(known, Remembered):
        return None
    before = dict(known.digests)
    changed = [file for file in files if before.get(file.path) != file.digest]
    if len(changed) > _CHANGED or any(file.path in known.analysis.consulted for file in changed):
        return None
    lines, functions = 0, 0
    for file in changed:
        old, packed = _kept(cache, file.path, before[file.path])
        now = _now(cache, file)
        if old is None or now is None:
            return None
        new, asked = now.summary, known.analysis.asked
        if not _reads_the_same(asked, file):
            return None
        if not _answers_the_same(asked, old, new.head) and not _says_the_same(old, packed, new):
            return None
        if not now.is_whole:
            cache.store(Kind.SUMMARY, summary_key(file.path, file.digest), pack_summary(new))
        lines += new.head.lines - old.lines
        functions += new.head.count - old.count
    return lines, functions


def _reads_the_same(asked: Asked, file: SourceFile) -> bool:
    """Whether what was looked for in the text of a file is still there, and nothing else."""
    from leaklint.index.skim import quoted_names

    there, missing = asked.texts.get(file.path, ((), ()))
    if not all(word in file.text for word in there) or any(word in file.text for word in missing):
        return False
    return file.path not in asked.quoted or quoted_names(file.text) == asked.quoted[file.path]


def _answers_the_same(asked: Asked, old: Head, new: Head) -> bool:
    """Whether a file whose code nobody read, and which may say something else now, comes to the same."""
    if old.path not in asked.unread or set(old.imports) != set(new.imports):
        return False
    names = {name for name, *_ in old.classes ^ new.classes}
    return (
        asked.words.isdisjoint(old.words ^ new.words)
        and not any(signature[1:] in asked.parameters for signature in old.signatures ^ new.signatures)
        and not (names if asked.heads else names & asked.class_names)
    )


def _says_the_same(old: Head, packed: bytes, new: ModuleSummary) -> bool:
    from leaklint.index import Code, ModuleSummary
    from leaklint.index.shifted import same_but_for_lines  # brings the parser, which few runs get this far to need

    code = _unpacked(packed) if packed else None
    return isinstance(code, Code) and same_but_for_lines(ModuleSummary(old, code), new)


# --- summaries -------------------------------------------------------------------------------------------------------


def summary_key(path: str, content: str) -> str:
    """What the summary of a file is kept under; the path is part of it."""
    return digest(path, content)


class Kept(Struct, frozen=True):
    """A summary that was kept, and whether its code was."""

    summary: ModuleSummary
    is_whole: bool


def pack_summary(summary: ModuleSummary, *, whole: bool = False) -> bytes:
    """A summary as it is kept: the head, and the code for whoever asks for it, where this or the `whole` was read."""
    return pack((summary.head, pack(summary.code) if whole or summary.is_read else b""))


def cached_summary(cache: Cache, file: SourceFile) -> Kept | None:
    """The summary of a file by its digest, if it was kept; its code is read when it is asked for."""
    from leaklint.index import ModuleSummary

    head, code = _kept(cache, file.path, file.digest)
    return Kept(ModuleSummary(head, partial(_code, file, code)), bool(code)) if head is not None else None


def _kept(cache: Cache, path: str, content: str) -> tuple[Head | None, bytes]:
    from leaklint.index import Head

    match cache.load(Kind.SUMMARY, summary_key(path, content)):
        case (Head(path=known, digest=digest) as head, bytes(code)) if (known, digest) == (path, content):
            return head, code
    return None, b""


def _code(file: SourceFile, packed: bytes) -> Code:
    from leaklint.index import Code, summarise

    code = _unpacked(packed) if packed else None
    return code if isinstance(code, Code) else summarise(file.path, file.text, file.digest).code


def _unpacked(packed: bytes) -> object:
    try:
        return unpack(packed)
    except Exception:  # bytes that nobody vouches for may raise anything
        return None


def _now(cache: Cache, file: SourceFile) -> Kept | None:
    """The summary of a file as it is now; none where it cannot be parsed."""
    from leaklint.index import summarise

    try:
        return cached_summary(cache, file) or Kept(summarise(file.path, file.text, file.digest), is_whole=False)
    except SyntaxError:
        return None
