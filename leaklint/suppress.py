"""Findings and the text they lie in to those that stay, those that a comment silences, and remarks on the comments.

A comment silences by `# leaklint: ignore[rule, until=2027-01-31] reason` on a line of the statement or on a line of
its own directly above, and by `# leaklint: shared reason` at the object that is shared by design. There is no form
that silences every rule, and none that silences a remark.
"""

from __future__ import annotations

import re
import tokenize
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import date

from msgspec import Struct
from msgspec.structs import replace

from leaklint.config import SUPPRESSION_RULES
from leaklint.errors import did_you_mean, nearest
from leaklint.files import split_lines
from leaklint.finding import Confidence, Family, Finding, Severity, Span

Ran = Callable[[str, str], bool]
"""Whether a rule judged a file, as `ran(rule, path)`; with an empty name: whether every rule did."""


class Suppressed(Struct, frozen=True):
    """What the comments make of the findings; `remarks` are findings about the comments themselves."""

    kept: tuple[Finding, ...]
    silenced: tuple[Finding, ...]
    remarks: tuple[Finding, ...]


def suppress(
    findings: Sequence[Finding], texts: Mapping[str, str], rules: Collection[str], ran: Ran, today: date
) -> Suppressed:
    """Apply the comments in `texts` (by path) to `findings`; `rules` are the names that may be suppressed."""
    comments = {path: _comments(path, text) for path, text in texts.items() if "leaklint:" in text}
    used: set[_Use] = set()
    kept: list[Finding] = []
    silenced: list[Finding] = []
    for finding in findings:
        uses = list(_uses(finding, comments, today))
        used.update(uses)
        (silenced if uses else kept).append(finding)
    every = [comment for found in comments.values() for comment in found]
    remarks = [remark for comment in every for remark in _remarks(comment, used, rules, ran, today)]
    return Suppressed(tuple(kept), tuple(silenced), tuple(remarks))


# --- comments ----------------------------------------------------------------------------------------------------


class _Comment(Struct, frozen=True):
    """One directive: what it says, and which lines it speaks of (first and last, counted from 1)."""

    span: Span
    text: str
    verb: str
    names: tuple[str, ...] | None  # None without brackets
    until: str | None
    first: int
    last: int

    def covers(self, span: Span) -> bool:
        return span.path == self.span.path and span.line <= self.last and span.end_line >= self.first

    def expired(self, today: date) -> bool:
        """Whether its last day is over; a date that is none has never been good."""
        if self.until is None:
            return False
        try:
            return date.fromisoformat(self.until) < today
        except ValueError:
            return True


_Use = tuple[_Comment, str]  # and the name in it that silenced; empty for `shared`

_DIRECTIVE = re.compile(r"(?<!\S)#\s*leaklint:\s*(?P<verb>[\w-]+)(?P<open>\s*\[)?(?:(?<=\[)(?P<names>[^\]#]*)\])?[^#]*")
_VERBS = ("ignore", "shared")
_FAMILIES = frozenset(family.value for family in Family)


def _comments(path: str, text: str) -> list[_Comment]:
    found: list[_Comment] = []
    waiting: list[_Comment] = []  # for the end of the statement they belong to
    start = 0  # line on which the statement at hand began; 0 between statements
    for token in _tokens(text):
        line = token.start[0]
        if token.type == tokenize.COMMENT:
            waiting += _directives(path, token)
        elif token.type == tokenize.NEWLINE:
            found += [replace(comment, first=start or line, last=line) for comment in waiting]
            waiting, start = [], 0
        elif token.type == tokenize.NL:
            if not start and not token.line.strip():  # a blank line: what stands above it speaks of nothing below
                found += waiting
                waiting = []
        elif token.type not in _LAYOUT:
            start = start or line
    return found + waiting


_LAYOUT = (tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER)


def _tokens(text: str) -> Iterator[tokenize.TokenInfo]:
    lines = [f"{line}\n" for line in split_lines(text)]
    last = 0
    try:
        for token in tokenize.generate_tokens(iter(lines).__next__):
            last = token.start[0]
            yield token
    except (tokenize.TokenError, SyntaxError):
        # Newer syntax than this Python's: its comments still count, line by line.
        for number, line in enumerate(lines[last:], last + 1):
            if (column := line.find("#")) >= 0:
                if line[:column].strip():
                    yield tokenize.TokenInfo(tokenize.NAME, "", (number, 0), (number, column), line)
                yield tokenize.TokenInfo(
                    tokenize.COMMENT, line[column:].rstrip("\n"), (number, column), (number, len(line)), line
                )
            if not line.lstrip().startswith("#"):
                yield tokenize.TokenInfo(tokenize.NEWLINE, "\n", (number, len(line)), (number, len(line)), line)


def _directives(path: str, token: tokenize.TokenInfo) -> Iterator[_Comment]:
    line, column = token.start
    for match in _DIRECTIVE.finditer(token.string):
        names: tuple[str, ...] | None = None
        until = None
        if match["open"]:
            items = [item.strip() for item in (match["names"] or "").split(",")]
            names = tuple(item for item in items if item and not item.startswith("until"))
            until = next((item[5:].lstrip(" =") for item in items if item.startswith("until")), None)
        start, end = column + match.start() + 1, column + match.start() + len(match[0].rstrip()) + 1
        span = Span(path, line, start, line, end)
        yield _Comment(span, match[0].rstrip(), match["verb"].lower(), names, until, first=line, last=line)


# --- effects -----------------------------------------------------------------------------------------------------


def _uses(finding: Finding, comments: Mapping[str, list[_Comment]], today: date) -> Iterator[_Use]:
    for comment in comments.get(finding.span.path, ()):
        names_it = comment.verb == "ignore" and finding.rule in (comment.names or ())
        if names_it and comment.covers(finding.span) and not comment.expired(today):
            yield comment, finding.rule
    for span in finding.declared:
        for comment in comments.get(span.path, ()):
            if comment.verb == "shared" and comment.covers(span):
                yield comment, ""


def _remarks(
    comment: _Comment, used: Collection[_Use], rules: Collection[str], ran: Ran, today: date
) -> Iterator[Finding]:
    path = comment.span.path
    if comment.verb == "shared":
        if (comment, "") not in used and ran("", path):
            yield _remark(comment, "unused-suppression", "`shared` stands at nothing that requests share", "remove it")
        return
    if comment.verb != "ignore":
        if comment.names is not None or nearest(comment.verb, _VERBS):
            hint = did_you_mean(comment.verb, _VERBS)
            yield _remark(comment, "unknown-suppression", f"unknown directive `{comment.verb}`", hint)
        return
    if not comment.names:
        hint = "write `# leaklint: ignore[rule] reason`"
        yield _remark(comment, "unknown-suppression", "`ignore` names no rule and silences nothing", hint)
        return
    if comment.expired(today):
        hint = "mend the finding, or give it a new date (`until=YYYY-MM-DD`, that day included)"
        yield _remark(comment, "expired-suppression", f"this suppression ended on `{comment.until}`", hint)
    for name in comment.names:
        if name in SUPPRESSION_RULES:
            hint = "set `ignore` in the configuration instead"
            yield _remark(comment, "unknown-suppression", f"`{name}` cannot be silenced by a comment", hint)
        elif name not in rules:
            hint = did_you_mean(name, rules, "`leaklint rules` lists the names")
            if name in _FAMILIES:
                hint = "that is a family: name its rules one by one"
            yield _remark(comment, "unknown-suppression", f"no rule is called `{name}`", hint)
        elif (comment, name) not in used and not comment.expired(today) and ran(name, path):
            yield _remark(comment, "unused-suppression", f"`ignore[{name}]` silences nothing", "remove it")


def _remark(comment: _Comment, rule: str, message: str, hint: str) -> Finding:
    return Finding(
        rule,
        Family.SUPPRESSION,
        Severity.TRACE,
        Confidence.HIGH,
        comment.span,
        message,
        help=hint,
        statement=comment.text,
    )
