"""Suspects to findings: lets the rules judge, and opens the files that their codemods ask for with LibCST.

The only stage that imports LibCST and rules. What a finding tells beyond the rule's words is put together in `tell`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from msgspec.structs import replace

from leaklint import rule as rules
from leaklint.finding import Confidence, Finding, Fix, Problem, Safety
from leaklint.progress import Progress
from leaklint.project.link import Project
from leaklint.project.suspect import Suspect
from leaklint.rule import Rule, Sources, Verdict
from leaklint.syntax import Files, NotAnalysed
from leaklint.tell import tell


def judge(
    project: Project, suspects: Sequence[Suspect], progress: Progress, shown: Confidence = Confidence.LOW
) -> tuple[tuple[Finding, ...], tuple[Problem, ...], Files]:
    """Let every rule judge the suspects it watches.

    A rule that crashes is a problem that names the rule and the place; the others go on. Fixes are looked for where a
    finding is as sure as those that are `shown`. Gives findings, problems and the files with what was asked of them.
    """
    opened = Files({m.path: m.text for m in project.program.modules})
    sources = Sources(opened, project.state.models)
    loaded = {name: kind() for name, kind in rules.load_all().items()}
    findings: list[Finding] = []
    problems: list[Problem] = []
    for number, suspect in enumerate(suspects):
        progress(f"judging {suspect.span.path}", number, len(suspects))
        for name, rule in loaded.items():
            if not isinstance(suspect, rule.watches) or not rule.wants(suspect):
                continue
            try:
                for verdict in rule.judge(suspect):
                    finding = tell(rule, suspect, verdict)
                    fixed = finding.confidence.rank >= shown.rank
                    findings.append(replace(finding, fix=_fix(rule, verdict, sources)) if fixed else finding)
            except NotAnalysed as error:
                problems.append(Problem(suspect.span.path, f"not analysed: {error}", "", suspect.span.line))
            except Exception as error:
                problems.append(_crashed(name, suspect, error))
    return tuple(_once(findings)), tuple(problems), opened


def _fix(rule: Rule, verdict: Verdict, sources: Sources) -> Fix | None:
    """The first codemod that is not refused; else the first refusal."""
    refused: Fix | None = None
    for codemod in verdict.codemods:
        sources.open.begin()
        try:
            fix = codemod(sources)
        except NotAnalysed as error:
            fix = Fix("", rule.fix or Safety.SHOWN, (), f"a file cannot be rewritten: {error}")
        if fix.edits:
            return fix
        refused = refused or fix
    return refused


def _crashed(name: str, suspect: Suspect, error: Exception) -> Problem:
    return Problem(
        suspect.span.path,
        f"internal error in rule `{name}`: {type(error).__name__}: {error}",
        "please report it with the code around this line",
        suspect.span.line,
        suspect.span.column,
        internal=True,
    )


def _once(findings: Iterable[Finding]) -> Iterator[Finding]:
    seen: set[tuple[object, ...]] = set()
    for finding in findings:
        key = (finding.rule, finding.span, finding.subject)
        if key not in seen:
            seen.add(key)
            yield finding
