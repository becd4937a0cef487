"""What the text formats share: problems as lines, counts, statistics and the next command.

No finding is shown here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from leaklint.finding import Problem, Safety, Severity, Span
from leaklint.render import View, shown_path
from leaklint.render.cells import Style, plain, styled

if TYPE_CHECKING:
    from leaklint.run import Report

_PLURALS = {Severity.LEAK: "leaks", Severity.RACE: "races", Severity.TRACE: "lost traces"}


def problem_lines(problems: Sequence[Problem], root: Path, view: View) -> Iterator[str]:
    """Each problem as `error: path:line: message`, with its hint on a line of its own."""
    for problem in problems:
        text = plain(_place(problem, root, view) + problem.message)
        yield f"{styled('error:', Style.ERROR, view.color)} {text}"
        if problem.hint:
            yield f"  hint: {plain(problem.hint)}"


def shown_span(root: Path, view: View, span: Span) -> str:
    """Where a span begins, as `path:line:column`."""
    return f"{plain(shown_path(root, view, span.path))}:{span.line}:{span.column}"


def summary(report: Report, view: View) -> Iterator[str]:
    """Counts in one line and the next command in another; then the statistics, if they are wanted."""
    if not view.quiet:
        yield styled(_counts(report), Style.BOLD, view.color)
        yield from _next(report)
    if view.statistics:
        yield from _statistics(report)


def _place(problem: Problem, root: Path, view: View) -> str:
    if not problem.path:
        return ""
    line = f":{problem.line}" if problem.line else ""
    column = f":{problem.column}" if problem.line and problem.column else ""
    return f"{shown_path(root, view, problem.path)}{line}{column}: "


def _counts(report: Report) -> str:
    total = len(report.findings)
    severities = Counter(finding.severity for finding in report.findings)
    parts = [f"{severities[level]} {_word(level, severities[level])}" for level in Severity if severities[level]]
    text = f"{total} finding{'s' * (total != 1)}" + (f": {', '.join(parts)}" if parts else "")
    text += f"; {len(report.texts)} file{'s' * (len(report.texts) != 1)} checked"
    extra = []
    if report.suppressed:
        extra.append(f"{len(report.suppressed)} suppressed")
    if fixable := sum(1 for finding in report.findings if finding.fix and finding.fix.edits):
        extra.append(f"{fixable} fixable")
    if report.problems:
        extra.append(f"{len(report.problems)} could not be checked")
    return f"{text} ({', '.join(extra)})" if extra else text


def _word(level: Severity, count: int) -> str:
    return _PLURALS[level].removesuffix("s") if count == 1 else _PLURALS[level]


def _next(report: Report) -> Iterator[str]:
    if report.statistics is not None and not report.statistics.entry_points:
        yield "no entry point of a known framework was found: public methods were taken for entries"
        yield "`--min-confidence low` shows what they keep; docs/models.md says how to describe a framework"
    tiers = {finding.fix.safety for finding in report.findings if finding.fix and finding.fix.edits}
    if Safety.SAFE in tiers:
        yield "next: `leaklint fix` shows the safe fixes, `leaklint fix --apply` writes them"
    elif tiers:
        yield "next: `leaklint fix --unsafe-fixes` shows the suggested fixes, `--apply` writes them"
    elif report.findings:
        yield f"next: `leaklint explain {report.findings[0].rule}`"


def _statistics(report: Report) -> Iterator[str]:
    yield "statistics:"
    if report.statistics is None:
        yield "  nothing was analysed"
        return
    for field in report.statistics.__struct_fields__:
        value = getattr(report.statistics, field)
        if not isinstance(value, dict):
            yield f"  {field.replace('_', ' '):<24}{value:>10}"
            continue
        for name, part in value.items():
            number = f"{part:.3f}" if isinstance(part, float) else str(part)
            yield f"  {field + ' ' + name:<24}{number:>10}"
    for rule, count in sorted(Counter(finding.rule for finding in report.findings).items()):
        yield f"  {rule:<24}{count:>10}"
