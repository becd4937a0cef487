"""The report as frames: each finding with its code, its numbered trace, its timeline, what to do and why.

The whole of a finding can be read without opening a file. Nothing is shown that the finding does not record.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import groupby
from typing import TYPE_CHECKING

from msgspec import Struct

from leaklint.files import split_lines
from leaklint.finding import Edit, Family, Finding, Fix, Moment, Safety, Span, Step, StepRole
from leaklint.render import View, shown_path
from leaklint.render.cells import Style, cells, plain, styled, width
from leaklint.render.diff import changed_lines
from leaklint.render.summary import problem_lines, shown_span, summary

if TYPE_CHECKING:
    from leaklint.run import Report

FRAMES = 5  # of a trace, unless the full one is wanted
DIFF_LINES = 30  # under a finding; `leaklint fix` shows all of them
RELATED = 3
_ROUTE = (StepRole.ENTRY, StepRole.CALL, StepRole.WRITE)


def render(report: Report, view: View) -> str:
    """Findings parted by empty lines, then problems, counts and the next command."""
    lines: list[str] = []
    page = _Page(report, view)
    for finding in report.findings:
        lines += [*_finding(page, finding), ""]
    lines += [*problem_lines(report.problems, report.root, view), *summary(report, view)]
    return "".join(f"{line}\n" for line in lines)


class _Page(Struct, frozen=True):
    """What every part of a finding needs to be drawn."""

    report: Report
    view: View
    gutter: int = 1  # digits of the largest line number

    def paint(self, text: str, style: Style) -> str:
        return styled(text, style, self.view.color)

    def rail(self, text: str = "", number: int | None = None, mark: str = "|") -> str:
        label = f"{'' if number is None else number:>{self.gutter}} {mark}"
        return f"{self.paint(label, Style.GUTTER)} {text}".rstrip()

    def note(self, name: str, text: str) -> str:
        return self.rail(f"{self.paint(f'{name}:', Style.BOLD)} {text}", mark="=")

    def place(self, span: Span) -> str:
        return shown_span(self.report.root, self.view, span)

    def lines(self, path: str) -> list[str]:
        text = self.report.texts.get(path)
        return [] if text is None else _split(text)


@lru_cache(maxsize=16)
def _split(text: str) -> list[str]:
    return split_lines(text)


def _finding(bare: _Page, finding: Finding) -> Iterator[str]:
    page = _Page(bare.report, bare.view, len(str(max(_line_numbers(finding)))))
    head = page.paint(f"{finding.severity.value}[{finding.rule}]", Style[finding.severity.name])
    yield f"{head}: {page.paint(plain(finding.message), Style.BOLD)}"
    yield f"{' ' * page.gutter}{page.paint('-->', Style.GUTTER)} {page.place(finding.span)}"
    shared = [step for step in finding.trace if step.role is StepRole.SHARED]
    beside = [step for step in shared if step.span.path == finding.span.path]
    yield page.rail()
    yield from _frame(
        page, finding.span.path, [_Mark(finding.span), *(_Mark(step.span, step.message) for step in beside)]
    )
    yield page.rail()
    yield from _trace(page, finding, [step for step in shared if step not in beside])
    yield from _timeline(page, finding.timeline)
    yield from _notes(page, finding)


def _line_numbers(finding: Finding) -> Iterable[int]:
    """Of what gets a frame."""
    return (finding.span.line, *(step.span.line for step in finding.trace if step.role in (*_ROUTE, StepRole.SHARED)))


# --- frames ------------------------------------------------------------------------------------------------------


class _Mark(Struct, frozen=True):
    """A stretch of code to underline; with a label it is a secondary one."""

    span: Span
    label: str = ""


def _frame(page: _Page, path: str, marks: Sequence[_Mark]) -> Iterator[str]:
    """The marked lines of one file with what is underlined in them; nothing when the file was not analysed."""
    lines = page.lines(path)
    previous = 0
    for number, group in groupby(sorted(marks, key=lambda mark: mark.span), lambda mark: mark.span.line):
        if not 1 <= number <= len(lines):
            continue
        if previous and number > previous + 1:
            yield page.paint("...", Style.GUTTER)
        previous = number
        on_line = list(dict.fromkeys(group))
        clip = _clipped(lines[number - 1], on_line[-1].span, page.view.width - page.gutter - 3)
        yield page.rail(clip.text, number)
        for mark in on_line:
            yield page.rail(_underline(page, clip, mark))


def _underline(page: _Page, clip: _Clip, mark: _Mark) -> str:
    last = mark.span.end_column if mark.span.end_line == mark.span.line else clip.length + 1
    start = clip.offset(mark.span.column - 1)
    size = max(1, clip.offset(last - 1) - start)
    line = page.paint(("-" if mark.label else "^") * size, Style.SECONDARY if mark.label else Style.PRIMARY)
    return f"{' ' * start}{line} {page.paint(plain(mark.label), Style.SECONDARY)}".rstrip()


class _Clip(Struct, frozen=True):
    """The shown part of a source line: its text, and the cells of each code point from `first` on."""

    text: str
    first: int
    lead: int  # cells of the ellipsis in front
    sizes: tuple[int, ...]
    length: int  # code points of the whole line

    def offset(self, index: int) -> int:
        """The cell at which the code point `index` of the whole line begins, inside of what is shown."""
        return self.lead + sum(self.sizes[: max(0, index - self.first)])


def _clipped(line: str, span: Span, limit: int) -> _Clip:
    start = min(span.column - 1, len(line))
    near = max(0, start - limit)  # a line may have a million characters: look only around the span
    shown = cells(line[near : start + 2 * limit])
    if near == 0 and len(line) <= 2 * limit and sum(size for _, size in shown) <= limit:
        return _Clip("".join(text for text, _ in shown).rstrip(), 0, 0, tuple(size for _, size in shown), len(line))
    first, room = start - near, limit // 3
    while first > 0 and room >= shown[first - 1][1]:
        first -= 1
        room -= shown[first][1]
    last, room = first, limit - 2
    while last < len(shown) and room >= shown[last][1]:
        room -= shown[last][1]
        last += 1
    before, after = "…" if near + first else "", "…" if near + last < len(line) else ""
    text = before + "".join(text for text, _ in shown[first:last]) + after
    return _Clip(text, near + first, len(before), tuple(size for _, size in shown[first:last]), len(line))


# --- trace -------------------------------------------------------------------------------------------------------


def _trace(page: _Page, finding: Finding, elsewhere: Sequence[Step]) -> Iterator[str]:
    steps = [step for step in finding.trace if step.role in _ROUTE] + list(elsewhere)
    if not steps:
        return
    yield page.note("trace", "how a request gets here")
    hidden = _hidden(steps, page.view.full_trace)
    for number, step in enumerate(steps, 1):
        if number - 1 == hidden.start and hidden:
            calls = "call" if len(hidden) == 1 else "calls"
            yield page.paint(f" ... {len(hidden)} more {calls}, --full-trace", Style.DIM)
        if number - 1 in hidden:
            continue
        yield f" {page.paint(f'({number})', Style.BOLD)} {page.place(step.span)}  {plain(step.message)}"
        if step.span != finding.span:  # its frame stands above
            yield from _frame(page, step.span.path, [_Mark(step.span)])
    yield page.rail()


def _hidden(steps: Sequence[Step], full: bool) -> range:
    """The steps to leave out in the middle: the way in and the last calls say most."""
    surplus = 0 if full else len(steps) - FRAMES
    return range(2, 2 + surplus) if surplus > 0 else range(0)


# --- timeline ----------------------------------------------------------------------------------------------------


def _timeline(page: _Page, moments: Sequence[Moment]) -> Iterator[str]:
    """Two requests side by side, one row a moment."""
    if not moments:
        return
    names = {moment: plain(moment.message) for moment in moments}
    places = {moment: _short(moment.span) for moment in moments}
    columns = [max((width(names[m]) for m in moments if m.request == lane), default=0) for lane in (0, 1)]
    second = 4 + columns[0] + 2 + max((width(places[m]) for m in moments if m.request == 0), default=0) + 2
    widest = columns[1] + 2 + max((width(places[m]) for m in moments if m.request == 1), default=0)
    second = max(16, min(second, page.view.width - widest))  # rows are lines of their own: lanes may overlap
    yield page.paint(f"  request A{' ' * (second - 11)}request B", Style.BOLD)
    for moment in moments:
        indent = " " * (second if moment.request else 2)
        padding = " " * (columns[moment.request] - width(names[moment]))
        place = page.paint(places[moment], Style.DIM)
        yield f"{indent}{names[moment]}{padding}  {place}  {plain(moment.remark)}".rstrip()
    yield page.rail()


def _short(span: Span | None) -> str:
    return "" if span is None else f"{plain(span.path.rpartition('/')[2])}:{span.line}"


# --- notes -------------------------------------------------------------------------------------------------------


def _notes(page: _Page, finding: Finding) -> Iterator[str]:
    reads = [step for step in finding.trace if step.role is StepRole.READ]
    for step in reads[:1]:
        yield page.note("why", f"{plain(step.message)} ({page.place(step.span)})")
    yield from _related(page, [*reads[1:], *(step for step in finding.trace if step.role is StepRole.RELATED)])
    if finding.help:
        yield page.note("help", plain(finding.help))
    if finding.fix:
        yield from _fix(page, finding, finding.fix)
    if finding.because:
        first, *more = (plain(clause) for clause in finding.because)
        yield page.note("confidence", f"{finding.confidence.value}, reporting because {first}")
        yield from (page.rail(f"  and because {clause}") for clause in more)
    if finding.family is not Family.SUPPRESSION:
        yield page.note("more", f"`leaklint explain {finding.rule}`")


def _related(page: _Page, steps: Sequence[Step]) -> Iterator[str]:
    shown = steps if page.view.full_trace else steps[:RELATED]
    for step in shown:
        yield page.note("also", f"{plain(step.message)} ({page.place(step.span)})")
    if len(shown) < len(steps):
        yield page.rail(page.paint(f"... {len(steps) - len(shown)} more, --full-trace", Style.DIM), mark="=")


def _fix(page: _Page, finding: Finding, fix: Fix) -> Iterator[str]:
    title = plain(fix.title)
    if not fix.edits:
        yield page.note("fix", f"none is offered: {plain(fix.refused)}" if fix.refused else f"by hand: {title}")
        return
    diff = [line for path, edits in _by_file(fix.edits) for line in _diff(page, finding, path, edits)]
    unsafe = "" if fix.safety is Safety.SAFE else " --unsafe-fixes"
    command = f"`leaklint fix{unsafe} --select {finding.rule}` shows it, add `--apply` to write it"
    yield page.note("fix", f"{title} ({fix.safety.value})")
    yield page.rail()
    yield from diff[:DIFF_LINES]
    if len(diff) > DIFF_LINES:
        yield page.rail(page.paint(f"... {len(diff) - DIFF_LINES} more lines", Style.DIM))
    yield page.rail()
    yield page.note("note", command)


def _by_file(edits: Iterable[Edit]) -> Iterator[tuple[str, list[Edit]]]:
    ordered = sorted(edits, key=lambda edit: (edit.path, edit.start))
    return ((path, list(group)) for path, group in groupby(ordered, lambda edit: edit.path))


def _diff(page: _Page, finding: Finding, path: str, edits: Sequence[Edit]) -> Iterator[str]:
    if path != finding.span.path:
        yield page.rail(page.paint(plain(shown_path(page.report.root, page.view, path)), Style.BOLD))
    styles = {"-": Style.REMOVED, "+": Style.ADDED}
    for sign, line in changed_lines(page.report.texts.get(path, ""), edits):
        if sign == ".":
            yield page.rail("  ...")
            continue
        text = f"{sign} {_clipped(line, Span(path, 1, 1, 1, 1), page.view.width - page.gutter - 5).text}".rstrip()
        yield page.rail(page.paint(text, styles[sign]) if sign in styles else text)
