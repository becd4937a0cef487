"""One program, or a unit of one, to its analysis: solve, suspect, judge.

Every stage is a call into its own package; LibCST is imported only when there is a suspect to judge. What comes out is
plain data that holds nothing of the solved state.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence, Set
from typing import TYPE_CHECKING

from leaklint.analysis import Analysis, Asked, Statistics
from leaklint.config import Config
from leaklint.finding import Finding, Problem
from leaklint.indexing import not_parsed
from leaklint.models import Models
from leaklint.progress import Clock, Progress
from leaklint.project import link
from leaklint.project.link import Project
from leaklint.project.program import Program

if TYPE_CHECKING:
    from leaklint.syntax import Files

_PATH = re.compile(r"[^\s'\"`()]+\.py")  # as it stands within a text, or the end of it that has no blanks


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
    opened: Files | None = None
    if suspects:
        from leaklint import judge

        with clock("judge"):
            findings, problems, opened = judge.judge(project, suspects, progress, config.min_confidence)
    problems += tuple(_not_lowered(program))
    consulted = frozenset(_quoted(project) | named((*findings, *problems), program.by_path))
    consulted |= opened.asked if opened is not None else set()
    asked = _asked(program, models, consulted, opened)
    return Analysis(findings, problems, _statistics(project, len(suspects)), consulted, project.takes_requests, asked)


def _not_lowered(program: Program) -> Iterator[Problem]:
    for module in program.modules:
        if module.summary.is_read and module.summary.code.failed:
            yield not_parsed(module.path, module.summary.code.failed)


def _asked(program: Program, models: Models, consulted: Set[str], opened: Files | None) -> Asked:
    """What was asked of files whose code nobody has read, in whatever way."""
    for word in opened.words() if opened is not None else ():
        for module in program.modules:
            module.mentions(word)
    return Asked(
        words=frozenset(program.wanted),
        parameters=frozenset(models.shapes),
        class_names=frozenset(models.settings),
        heads=opened is not None and opened.has_heads,
        texts=asked_of(program),
        quoted=quoted_in(program),
        unread=frozenset([m.path for m in program.modules if not m.summary.is_read and m.path not in consulted]),
    )


def quoted_in(program: Program) -> dict[str, frozenset[str]]:
    """The names of modules that may be quoted in texts, by path, as far as that was asked."""
    return {module.path: module.dotted_names for module in program.modules if module.dotted_names is not None}


def asked_of(program: Program) -> dict[str, tuple[tuple[str, ...], tuple[str, ...]]]:
    """The words that were looked for in texts: by path those that are there, and the others."""
    return {
        module.path: (
            tuple([word for word, there in module.asked.items() if there]),
            tuple([word for word, there in module.asked.items() if not there]),
        )
        for module in program.modules
    }


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
