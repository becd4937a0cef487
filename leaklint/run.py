"""Paths and settings to a report: files, check, suppress, filter, sort.

The pipeline on one screen; every stage is a module of its own, and none is entered for a run that does not need it.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from leaklint import reuse
from leaklint.analysis import added
from leaklint.config import SUPPRESSION_RULES, Config, check_config_names, enabled
from leaklint.errors import UserError
from leaklint.files import SourceFile, collect, covered_by, is_excluded
from leaklint.finding import Finding, Problem
from leaklint.progress import Progress, silent
from leaklint.suppress import Ran, suppress

if TYPE_CHECKING:
    from leaklint.analysis import Analysis, Statistics
    from leaklint.cache import Cache


class Report(Struct, frozen=True):
    """What one run has to say. Paths in it are relative to `root`; `texts` holds every file that was analysed."""

    findings: tuple[Finding, ...]
    suppressed: tuple[Finding, ...]
    problems: tuple[Problem, ...]
    statistics: Statistics | None  # None when nothing was analysed
    root: Path
    texts: Mapping[str, str]


def run(
    paths: Sequence[Path],
    config: Config,
    progress: Progress = silent,
    overlay: Mapping[str, str] = MappingProxyType({}),
    cache: Cache | None = None,
    jobs: int = 1,
) -> Report:
    """Analyse the project and report what touches `paths` (all of it when there are none).

    A path that the configuration excludes, or that lies outside of the project, is analysed as a program of its own.
    Files in `overlay`, by path relative to the root, are judged with that text instead of the one on disk. What the
    cache holds is used, and what it lacks is put there; `jobs` is the number of processes that may work at a time.
    Neither changes the report, but for its statistics.
    Raises UserError for a rule name in the configuration that does not exist.
    """
    from leaklint import rule

    rules = rule.names()
    check_config_names(config, rules)
    progress("reading files", 0, 0)
    named = [path.resolve() for path in paths]
    root, programs, problems = _collect(named, config)
    programs = [[_laid_over(file, overlay) for file in program] for program in programs]
    texts = {file.path: file.text for program in programs for file in program}
    analyse = partial(_analysis, _rebased(config, root), progress, cache, jobs, keep=not overlay)
    checked, failed, statistics = _check(programs, analyse)
    problems += [*failed, *_nothing_to_check(named or [config.root], root, [*texts, *(p.path for p in problems)])]

    ran = _ran(config, root, {problem.path for problem in problems})
    judged = [finding for finding in checked if _enabled(config, root, finding)]
    result = suppress(judged, texts, rules, ran, date.today())
    remarks = [remark for remark in result.remarks if _enabled(config, root, remark)]
    shown = _shown(config, [_relative(path, root) for path in named])
    return Report(
        findings=_sorted(filter(shown, [*result.kept, *remarks])),
        suppressed=_sorted(filter(shown, result.silenced)),
        problems=tuple(sorted(set(problems), key=lambda problem: (problem.path, problem.line, problem.message))),
        statistics=statistics,
        root=root,
        texts=texts,
    )


# --- files -------------------------------------------------------------------------------------------------------


def _collect(named: Sequence[Path], config: Config) -> tuple[Path, list[list[SourceFile]], list[Problem]]:
    """The root that paths are relative to, the files of each program, and what could not be read."""
    inside = [path for path in named if path.is_relative_to(config.root) and not is_excluded(config, path)]
    apart = [path if path.is_dir() else path.parent for path in named if path not in inside]
    tops = [config.root] if inside or not named else []
    tops += [
        top for top in dict.fromkeys(apart) if not any(top != other and top.is_relative_to(other) for other in apart)
    ]
    root = Path(os.path.commonpath([config.root, *tops]))
    loaded = [collect(root, config, [top]) for top in tops]
    return root, [files for files, _ in loaded if files], [problem for _, problems in loaded for problem in problems]


def _laid_over(file: SourceFile, overlay: Mapping[str, str]) -> SourceFile:
    if file.path not in overlay:
        return file
    text = overlay[file.path]
    digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
    return SourceFile(file.path, text, digest)


def _rebased(config: Config, root: Path) -> Config:
    """The settings with source roots relative to `root`, which is above the project when a path lies outside of it."""
    if root == config.root:
        return config
    return replace(config, root=root, src=tuple(_relative(config.root / src, root) for src in config.src))


def _nothing_to_check(named: Iterable[Path], root: Path, seen: Sequence[str]) -> Iterable[Problem]:
    for path in named:
        prefix = _relative(path, root)
        if any(_under(name, prefix) for name in seen):
            continue
        if path.is_dir():
            yield Problem(prefix, "nothing to check: no Python files", "is the folder right, and is it excluded?")
        else:
            yield Problem(prefix, "nothing to check: not a Python file", "files must end in `.py`")


# --- check -------------------------------------------------------------------------------------------------------


def _check(
    programs: Sequence[list[SourceFile]], analyse: Callable[[list[SourceFile]], Analysis]
) -> tuple[list[Finding], list[Problem], Statistics | None]:
    findings: dict[object, Finding] = {}
    problems: list[Problem] = []
    total: Statistics | None = None
    for program in programs:
        try:
            analysis = analyse(program)
        except UserError:
            raise
        except Exception as error:
            problems.append(_crash(error))
            continue
        findings |= {(finding.rule, finding.span, finding.subject): finding for finding in analysis.findings}
        problems += analysis.problems
        total = analysis.statistics if total is None else added(total, analysis.statistics)
    return list(findings.values()), problems, total


def _analysis(
    config: Config, progress: Progress, cache: Cache | None, jobs: int, files: list[SourceFile], *, keep: bool
) -> Analysis:
    """What an earlier run has found in the same program, else what a check finds; to `keep` is for the next run."""
    found = reuse.recall(cache, files, config) if cache is not None else None
    if found is None:
        from leaklint.check import check

        found = check(files, config, progress, cache=cache, jobs=jobs, keep=keep)
        if cache is not None and keep and not any(problem.internal for problem in found.problems):
            reuse.remember(cache, files, config, found)
    return found


def _crash(error: Exception) -> Problem:
    """An internal error as one line that says where in leaklint it happened."""
    innermost = error.__traceback__
    while innermost is not None and innermost.tb_next is not None:
        innermost = innermost.tb_next
    where = f" at {Path(innermost.tb_frame.f_code.co_filename).name}:{innermost.tb_lineno}" if innermost else ""
    message = f"internal error: {type(error).__name__}: {error}{where}"
    return Problem("", message, "please report it with the code that brings it about", internal=True)


# --- filters -----------------------------------------------------------------------------------------------------


def _enabled(config: Config, root: Path, finding: Finding) -> bool:
    if not enabled(config, finding.rule, finding.family, default=_is_default(finding.rule)):
        return False
    return not {finding.rule, finding.family.value} & _ignored_in(config, root, finding.span.path)


def _is_default(name: str) -> bool:
    """Whether a rule runs where nobody selects it."""
    from leaklint import rule as rules

    return name in SUPPRESSION_RULES or rules.traits(name).default


def _ignored_in(config: Config, root: Path, path: str) -> set[str]:
    """The rules and families that `per-file-ignores` switches off for a file."""
    return {
        name for glob, names in config.per_file_ignores if covered_by(config, [glob], root / path) for name in names
    }


def _ran(config: Config, root: Path, failed: set[str]) -> Ran:
    """Which rules judged which files; no rule did where a file had a problem, or a test was passed over."""

    def ran(rule: str, path: str) -> bool:
        if path in failed or (_looks_like_test(path) and not config.check_tests):
            return False
        if not rule:
            return not config.select and not config.ignore and not config.per_file_ignores
        from leaklint import rule as rules

        kind = rules.traits(rule)
        if not enabled(config, rule, kind.family, default=kind.default):
            return False
        return not {rule, kind.family.value} & _ignored_in(config, root, path)

    return ran


def _looks_like_test(path: str) -> bool:
    *folders, name = path.split("/")
    return name.startswith(("test_", "conftest")) or name.endswith("_test.py") or bool({"test", "tests"} & {*folders})


def _shown(config: Config, prefixes: Sequence[str]) -> Callable[[Finding], bool]:
    def shown(finding: Finding) -> bool:
        if finding.confidence.rank < config.min_confidence.rank:
            return False
        touched = {finding.span.path, *(step.span.path for step in finding.trace)}
        return not prefixes or any(_under(path, prefix) for path in touched for prefix in prefixes)

    return shown


def _under(path: str, prefix: str) -> bool:
    return prefix == "." or path == prefix or path.startswith(f"{prefix}/")


def _relative(path: Path, root: Path) -> str:
    return path.relative_to(root).as_posix()


def _sorted(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    return tuple(sorted(findings, key=lambda finding: (finding.span, finding.rule)))
