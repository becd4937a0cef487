"""Files to findings: index, link, solve, suspect, judge.

Every stage is a call into its own package; LibCST is imported only when there is a suspect to judge.
"""

from __future__ import annotations

import gc
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from leaklint import models
from leaklint.config import Config
from leaklint.files import SourceFile
from leaklint.finding import Finding, Problem
from leaklint.index import ModuleSummary, summarise
from leaklint.progress import Progress, silent
from leaklint.project import link

if TYPE_CHECKING:
    from leaklint.project.link import Project

_RECURSION = 30_000


@dataclass(frozen=True, slots=True)
class Statistics:
    """What was analysed; `seconds` is wall time by stage."""

    files: int = 0
    lines: int = 0
    functions: int = 0
    entry_points: int = 0
    resolved_calls: int = 0
    unresolved_calls: int = 0
    reached_functions: int = 0
    suspects: int = 0
    gave_up: int = 0
    seconds: dict[str, float] = field(default_factory=dict)
    models: dict[str, int] = field(default_factory=dict)  # loaded models, and the entry points each found


@dataclass(frozen=True, slots=True)
class Analysis:
    """The outcome of one program."""

    findings: tuple[Finding, ...]
    problems: tuple[Problem, ...]
    statistics: Statistics


def check(files: Sequence[SourceFile], config: Config, progress: Progress = silent) -> Analysis:
    """Analyse one program: everything in `files` together."""
    clock = _Clock()
    with _roomy():
        progress("indexing", 0, len(files))
        with clock("index"):
            indexed, problems = _index(files, progress)
        progress("linking", 0, 0)
        with clock("link"):
            project = link.link(indexed, _models(config, indexed), config.src, check_tests=config.check_tests)
        with clock("suspects"):
            suspects = link.suspects(project)
        findings: tuple[Finding, ...] = ()
        if suspects:
            from leaklint import judge

            with clock("judge"):
                findings, failed = judge.judge(project, suspects, progress)
            problems += failed
    return Analysis(findings, tuple(problems), _statistics(project, len(suspects), indexed, clock.seconds))


def _index(files: Sequence[SourceFile], progress: Progress) -> tuple[list[tuple[ModuleSummary, str]], list[Problem]]:
    done: list[tuple[ModuleSummary, str]] = []
    problems: list[Problem] = []
    for number, file in enumerate(files):
        if number % 64 == 0:
            progress(f"indexing {file.path}", number, len(files))
        try:
            done.append((summarise(file.path, file.text, file.digest), file.text))
        except SyntaxError as error:
            problems.append(_unparsed(file, error))
    return done, problems


def _unparsed(file: SourceFile, error: SyntaxError) -> Problem:
    running = f"{sys.version_info.major}.{sys.version_info.minor}"
    return Problem(
        file.path,
        f"cannot be parsed: {error.msg}",
        f"leaklint runs on Python {running}; is this file for another version, or not Python?",
        error.lineno or 0,
        error.offset or 0,
    )


def _models(config: Config, indexed: Iterable[tuple[ModuleSummary, str]]) -> models.Models:
    imported = {i.module.partition(".")[0] for summary, _ in indexed for i in summary.imports if not i.level}
    own = [models.parse(path.read_text("utf-8"), str(path)) for path in config.models]
    if config.ids:
        own.append(models.Model("ids", concept={"id": config.ids}))
    return models.select(imported, own)


def _statistics(
    project: Project, suspects: int, indexed: Sequence[tuple[ModuleSummary, str]], seconds: dict[str, float]
) -> Statistics:
    return Statistics(
        files=len(indexed),
        lines=sum(summary.lines for summary, _ in indexed),
        functions=sum(len(summary.functions) for summary, _ in indexed),
        entry_points=len({f.info for f in project.requests}),
        resolved_calls=project.state.resolved,
        unresolved_calls=project.state.unresolved,
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


@contextmanager
def _roomy() -> Iterator[None]:
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
