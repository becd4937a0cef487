"""Files to findings: index them, by as many processes as pay, and analyse what was read.

The solver is imported when the other processes are at work.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from functools import partial

from leaklint import indexing
from leaklint.analysis import Analysis
from leaklint.cache import Cache
from leaklint.config import Config
from leaklint.files import SourceFile
from leaklint.indexing import Answer, Indexed
from leaklint.progress import Clock, Progress, silent

_last: list[Indexed] = []  # held until the next check: to take it apart takes longer than a process has that ends now


def check(
    files: Sequence[SourceFile],
    config: Config,
    progress: Progress = silent,
    *,
    cache: Cache | None = None,
    jobs: int = 1,
    keep: bool = True,
) -> Analysis:
    """Analyse one program, everything in `files` together, by at most `jobs` processes.

    What the cache holds of files and of units is used; it is to `keep` what is found of units.
    """
    _last.clear()
    clock = Clock()
    with indexing.roomy(), ExitStack() as until:
        progress("indexing", 0, len(files))
        with clock("index"):
            prepare = partial(_prepared, files, config)
            index = until.enter_context(indexing.indexed(files, cache, jobs, progress, prepare))
        _last.append(index)
        from leaklint.analysing import analyse

        progress("linking", 0, 0)
        return analyse(index, files, config, clock, progress, cache, keep=keep)


def _prepared(files: Sequence[SourceFile], config: Config) -> Answer:
    """What solves units in another process. The import takes a while, and is made in each."""
    from leaklint import analysing

    return analysing.answer(files, config)
