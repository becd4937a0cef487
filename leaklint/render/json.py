"""The report as one JSON object, version 1: findings, every failure, statistics.

Lines and columns count from 1, columns in code points. Keys may be added within a version, never changed or removed.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from msgspec.structs import asdict

from leaklint.finding import Finding, Fix, Moment, Problem, Step
from leaklint.render import View, shown_path

if TYPE_CHECKING:
    from leaklint.run import Report

VERSION = 1


def render(report: Report, view: View) -> str:
    """The JSON text; colours and the like mean nothing here."""
    document = {
        "version": VERSION,
        "findings": [_finding(report, view, finding) for finding in report.findings],
        "errors": [_error(report, view, problem) for problem in report.problems],
        "statistics": {
            **(asdict(report.statistics) if report.statistics is not None else {}),
            "findings": len(report.findings),
            "suppressed": len(report.suppressed),
        },
    }
    return json.dumps(document, indent=2) + "\n"


def _finding(report: Report, view: View, finding: Finding) -> dict[str, Any]:
    return {
        "rule": finding.rule,
        "family": finding.family.value,
        "severity": finding.severity.value,
        "confidence": finding.confidence.value,
        "path": shown_path(report.root, view, finding.span.path),
        "line": finding.span.line,
        "column": finding.span.column,
        "end_line": finding.span.end_line,
        "end_column": finding.span.end_column,
        "message": finding.message,
        "because": list(finding.because),
        "trace": [_step(report, view, step) for step in finding.trace],
        "timeline": [_moment(report, view, moment) for moment in finding.timeline],
        "fix": _fix(finding.fix),
        "fingerprint": finding.fingerprint,
    }


def _step(report: Report, view: View, step: Step) -> dict[str, Any]:
    return {
        "path": shown_path(report.root, view, step.span.path),
        "line": step.span.line,
        "column": step.span.column,
        "message": step.message,
    }


def _moment(report: Report, view: View, moment: Moment) -> dict[str, Any]:
    return {
        "request": "AB"[moment.request],
        "path": shown_path(report.root, view, moment.span.path) if moment.span else None,
        "line": moment.span.line if moment.span else None,
        "column": moment.span.column if moment.span else None,
        "message": moment.message,
        "remark": moment.remark,
    }


def _fix(fix: Fix | None) -> dict[str, str] | None:
    if fix is None or not fix.edits:
        return None
    return {"title": fix.title, "safety": fix.safety.value}


def _error(report: Report, view: View, problem: Problem) -> dict[str, Any]:
    return {
        "path": shown_path(report.root, view, problem.path),
        "line": problem.line or None,
        "column": problem.column or None,
        "message": problem.message,
        "hint": problem.hint,
        "internal": problem.internal,
    }
