"""One more item in a comma-separated list of the code: an argument, a parameter, a dict entry, an imported name.

The layout of the list is kept: items on lines of their own stay so, trailing commas and comments stay where they are.
"""

from __future__ import annotations

import re

from leaklint.finding import Edit
from leaklint.syntax import Syntax

_BEHIND = re.compile(r"[ \t]*(,)?[ \t]*(#[^\r\n]*)?(\r\n|\r|\n)?")


def behind(syntax: Syntax, start: int, end: int, item: str) -> list[Edit]:
    """Edits that put `item` behind the item at `start` to `end`, which must lie within brackets."""
    match = _BEHIND.match(syntax.text, end)
    assert match is not None  # everything in it is optional
    comma, comment, newline = match.groups()
    indent = _own_line(syntax, start)
    if newline is None or indent is None:
        return [syntax.insert(end, f", {item}")]
    if comma:
        return [syntax.insert(match.end(), f"{indent}{item},{newline}")]
    if comment:
        return [syntax.insert(end, ","), syntax.insert(match.end(), f"{indent}{item}{newline}")]
    return [syntax.insert(end, f",{newline}{indent}{item}")]


def before(syntax: Syntax, start: int, item: str) -> list[Edit]:
    """Edits that put `item` before the item at `start`, which must lie within brackets."""
    indent = _own_line(syntax, start)
    return [syntax.insert(start, f"{item}, " if indent is None else f"{item},{syntax.newline}{indent}")]


def _own_line(syntax: Syntax, start: int) -> str | None:
    """The white space before an item that begins its line; None for one that does not."""
    line = syntax.text[max(syntax.text.rfind("\n", 0, start), syntax.text.rfind("\r", 0, start)) + 1 : start]
    return line if not line.strip() else None
