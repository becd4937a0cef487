"""The report with one line a finding, for editors, grep and people who know the rules.

Lines are never wrapped; problems and the counts stand below the findings.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from leaklint.finding import Finding, StepRole
from leaklint.render import View
from leaklint.render.cells import Style, plain, styled
from leaklint.render.summary import problem_lines, shown_span, summary

if TYPE_CHECKING:
    from leaklint.run import Report

_ROUTE = (StepRole.ENTRY, StepRole.CALL, StepRole.WRITE)


def render(report: Report, view: View) -> str:
    """`path:line:column: severity[rule] message; trace …` for every finding."""
    lines = [_line(report, view, finding) for finding in report.findings]
    lines += [*problem_lines(report.problems, report.root, view), *summary(report, view)]
    return "".join(f"{line}\n" for line in lines)


def _line(report: Report, view: View, finding: Finding) -> str:
    rule = styled(f"{finding.severity.value}[{finding.rule}]", Style[finding.severity.name], view.color)
    route = [f"{step.span.path.rpartition('/')[2]}:{step.span.line}" for step in finding.trace if step.role in _ROUTE]
    trace = f"; trace {plain(' > '.join(route))}" if len(route) > 1 else ""
    fix = f"; fix {finding.fix.safety.value}" if finding.fix and finding.fix.edits else ""
    return f"{shown_span(report.root, view, finding.span)}: {rule} {plain(finding.message)}{trace}{fix}"
