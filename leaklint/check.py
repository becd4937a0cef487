"""Files to findings: index, link, solve, suspect, judge.

Every stage is a call into its own package; LibCST is imported only when there is a suspect to judge.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from leaklint import indexing, models
from leaklint.analysis import Analysis, Statistics
from leaklint.cache import Cache
from leaklint.config import Config
from leaklint.files import SourceFile, package_around
from leaklint.finding import Finding, Problem
from leaklint.indexing import Indexed
from leaklint.progress import Progress, silent
from leaklint.project import link
from leaklint.project.link import Project

_PATH = re.compile(r"[^\s'\"`()]+\.py")  # as it stands within a text, or the end of it that has no blanks


def check(
    files: Sequence[SourceFile],
    config: Config,
    progress: Progress = silent,
    *,
    cache: Cache | None = None,
    jobs: int = 1,
) -> Analysis:
    """Analyse one program, everything in `files` together, by at most `jobs` processes."""
    clock = _Clock()
    with indexing.roomy():
        progress("indexing", 0, len(files))
        with clock("index"):
            index = indexing.index(files, cache, jobs, progress)
        progress("linking", 0, 0)
        with clock("link"):
            project = link.link(
                index.modules,
                _models(config, index),
                config.src,
                package=package_around(config.root),
                check_tests=config.check_tests,
            )
        with clock("suspects"):
            suspects = link.suspects(project)
        findings: tuple[Finding, ...] = ()
        failed: list[Problem] = []
        opened: frozenset[str] = frozenset()
        if suspects:
            from leaklint import judge

            with clock("judge"):
                findings, failed, opened = judge.judge(project, suspects, progress, config.min_confidence)
    return Analysis(
        findings,
        (*index.problems, *failed),
        _statistics(project, len(suspects), index, clock.seconds),
        opened | _quoted(project) | _named((*findings, *index.problems, *failed), files),
    )


def _quoted(project: Project) -> set[str]:
    return {module.path for module in project.program.modules if module.quoted}


def _named(told: Sequence[object], files: Sequence[SourceFile]) -> set[str]:
    """Files that findings and problems name, in their places or in their words."""
    said = set(_PATH.findall(repr(told)))
    return {file.path for file in files if {*_PATH.findall(file.path)[-1:], file.path.rpartition("/")[2]} & said}


def _models(config: Config, index: Indexed) -> models.Models:
    imported = {i.module.partition(".")[0] for summary, _ in index.modules for i in summary.imports if not i.level}
    own = [models.parse(path.read_text("utf-8"), str(path)) for path in config.models]
    if config.ids or config.sent_ids:
        own.append(models.Model("ids", concept={"id": config.ids}, sent=config.sent_ids))
    return models.select(imported, own)


def _statistics(project: Project, suspects: int, index: Indexed, seconds: dict[str, float]) -> Statistics:
    resolved, unresolved = project.calls()
    return Statistics(
        files=len(index.modules),
        cached_files=index.cached,
        lines=sum(summary.lines for summary, _ in index.modules),
        functions=sum(summary.head.count for summary, _ in index.modules),
        entry_points=len({f.info for f in project.requests}),
        resolved_calls=resolved,
        unresolved_calls=unresolved,
        reached_functions=len({f.info for f in project.ways.before}),
        suspects=suspects,
        gave_up=project.state.gave_up,
        seconds=seconds,
        models=project.entries_by_model(),
    )


class _Clock:
    """Wall time by stage."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def __call__(self, stage: str) -> Iterator[None]:
        start = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[stage] = time.perf_counter() - start
