"""One program, or a unit of one, to its analysis: solve, suspect, judge.

Every stage is a call into its own package; LibCST is imported only when there is a suspect to judge. What comes out is
plain data that holds nothing of the solved state.
"""

from __future__ import annotations

import re
import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager

from leaklint.analysis import Analysis, Statistics
from leaklint.config import Config
from leaklint.finding import Finding, Problem
from leaklint.models import Models
from leaklint.progress import Progress
from leaklint.project import link
from leaklint.project.link import Project
from leaklint.project.program import Program

_PATH = re.compile(r"[^\s'\"`()]+\.py")  # as it stands within a text, or the end of it that has no blanks


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


def analysed(
    program: Program,
    near: Collection[str],
    *,
    models: Models,
    config: Config,
    clock: Clock,
    progress: Progress,
    alone: bool,
) -> Analysis:
    """What is found in a program, of which the modules with the paths `near` can run beside a request.

    A program that is not `alone` may have none, and is run no further then (`link.solve`).
    """
    with clock("link"):
        project = link.solve(program, models, near, check_tests=config.check_tests, alone=alone)
    with clock("suspects"):
        suspects = link.suspects(project)
    findings: tuple[Finding, ...] = ()
    problems: tuple[Problem, ...] = ()
    opened: frozenset[str] = frozenset()
    if suspects:
        from leaklint import judge

        with clock("judge"):
            findings, problems, opened = judge.judge(project, suspects, progress, config.min_confidence)
    consulted = opened | _quoted(project) | named((*findings, *problems), program.by_path)
    return Analysis(findings, problems, _statistics(project, len(suspects)), consulted, project.takes_requests)


def named(told: Sequence[object], paths: Collection[str]) -> set[str]:
    """The files that findings and problems name, in their places or in their words."""
    said = set(_PATH.findall(repr(told)))
    return {path for path in paths if {*_PATH.findall(path)[-1:], path.rpartition("/")[2]} & said}


def _quoted(project: Project) -> set[str]:
    return {module.path for module in project.program.modules if module.quoted}


def _statistics(project: Project, suspects: int) -> Statistics:
    resolved, unresolved = project.calls()
    return Statistics(
        entry_points=len({f.info for f in project.requests}),
        resolved_calls=resolved,
        unresolved_calls=unresolved,
        reached_functions=len({f.info for f in project.ways.before}),
        suspects=suspects,
        gave_up=project.state.gave_up,
        models=project.entries_by_model(),
    )
