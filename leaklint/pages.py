"""The rules' own documentation: a module's docstring to a page, and all pages to a table.

The docstring is the only text about a rule; nothing is written here that it does not say.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from msgspec import Struct

import leaklint.rule as rules
from leaklint.config import SUPPRESSION_RULES
from leaklint.errors import UserError, did_you_mean
from leaklint.render.cells import Style, styled

HEADINGS = (
    "What it does",
    "Why it leaks",
    "Example",
    "Use instead",
    "When it is silent",
    "Fix",
    "What is not found",
    "References",
)


class Page(Struct, frozen=True):
    """One rule's documentation; `sections` keep the order and the Markdown of the docstring."""

    name: str
    family: str
    severity: str
    fix: str  # "safe", "suggested", "shown" or "none"
    cwe: tuple[int, ...]
    summary: str
    sections: tuple[tuple[str, str], ...]

    @property
    def markdown(self) -> str:
        """The page as one Markdown text, its facts included."""
        cwe = ", ".join(f"CWE-{number}" for number in self.cwe)
        facts = f"severity: {self.severity} · family: {self.family} · fix: {self.fix}" + (f" · {cwe}" if cwe else "")
        parts = [f"# {self.name}", self.summary, facts, *(f"## {title}\n\n{body}" for title, body in self.sections)]
        return "\n\n".join(parts) + "\n"


def page(name: str) -> Page:
    """The page of the rule `name`. Raises UserError when there is no such rule."""
    if name in SUPPRESSION_RULES:
        raise UserError(f"`{name}` judges the comment it points at, and has no page", "README: Suppression")
    if name not in rules.names():
        raise UserError(f"unknown rule `{name}`", did_you_mean(name, rules.names(), "`leaklint rules` lists them"))
    rule = rules.load(name)
    summary, sections = _parsed(sys.modules[rule.__module__].__doc__ or "")
    fix = rule.fix.value if rule.fix is not None else "none"
    return Page(name, rule.family.value, rule.severity.value, fix, rule.cwe, summary, sections)


def pages() -> tuple[Page, ...]:
    """Every rule's page, by family and name."""
    return tuple(sorted((page(name) for name in rules.names()), key=lambda page: (page.family, page.name)))


def table(every: Sequence[Page]) -> str:
    """The rules as a Markdown table, as it stands in the README."""
    rows = ["| rule | severity | fix | family | what it finds |", "| --- | --- | --- | --- | --- |"]
    rows += [f"| `{page.name}` | {page.severity} | {page.fix} | {page.family} | {page.summary} |" for page in every]
    return "\n".join(rows) + "\n"


def listing(every: Sequence[Page], color: bool) -> str:
    """The rules as columns for a terminal."""
    rows = [(page.name, page.severity, page.fix, page.family, page.summary) for page in every]
    sizes = [max((len(row[column]) for row in rows), default=0) for column in range(4)]
    lines: list[str] = []
    for row in rows:
        cells = [row[column].ljust(sizes[column]) for column in range(4)]
        lines.append("  ".join([styled(cells[0], Style.BOLD, color), *cells[1:], row[4]]).rstrip())
    return "".join(f"{line}\n" for line in lines)


def text(page: Page, color: bool) -> str:
    """The page for reading in a terminal: headings without marks, code indented, and not a mark more."""
    lines: list[str] = []
    code = False
    for line in page.markdown.splitlines():
        if line.startswith("```"):
            code = not code
        elif code:
            lines.append(styled(f"    {line}", Style.CODE, color) if line else "")
        elif line.startswith("#"):
            lines.append(styled(line.lstrip("# "), Style.BOLD, color))
        else:
            lines.append(line)
    return "".join(f"{line}\n" for line in lines)


def _parsed(docstring: str) -> tuple[str, tuple[tuple[str, str], ...]]:
    """The summary (first sentence of text) and the sections of a docstring."""
    summary = ""
    sections: list[tuple[str, list[str]]] = []
    code = False
    for line in docstring.strip().splitlines():
        code ^= line.startswith("```")
        if line.startswith("## ") and not code:
            sections.append((line.removeprefix("## ").strip(), []))
        elif sections:
            sections[-1][1].append(line)
        elif not summary and line.strip() and not line.startswith("# "):
            summary = line.strip()
    return summary, tuple((title, "\n".join(body).strip()) for title, body in sections)
