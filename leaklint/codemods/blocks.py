"""Statements of one block to the same statements in a block of their own, below a new line: a lock, a session.

Refused where a text of several lines would change with the indentation.
"""

from __future__ import annotations

import re

import libcst as cst

from leaklint.codemods import Refused
from leaklint.finding import Edit
from leaklint.syntax import Statement, Syntax


def wrapped(syntax: Syntax, first: Statement, last: Statement, head: str) -> list[Edit]:
    """Edits that put the statements from `first` to `last` of one block below the line `head`. Raises Refused."""
    start, end = syntax.before_comments(first), syntax.range(last)[1]
    start = syntax.text.rfind("\n", 0, start) + 1
    for node in syntax.walk(syntax.module, cst.SimpleString, cst.FormattedString):
        if not start <= syntax.range(node)[0] < end:
            continue
        if syntax.span(node).line != syntax.span(node).end_line:
            raise Refused(f"a string of several lines would change at {syntax.site(node)}")
    level, inner = syntax.indent(first), syntax.module.default_indent
    opening = f"{level}{head}{syntax.newline}"
    lines = [line.start() for line in re.finditer(r"[^\r\n]+", syntax.text[start:end]) if line[0].strip()]
    first_line, *others = lines
    return [
        syntax.insert(start + first_line, f"{opening}{inner}"),
        *(syntax.insert(start + at, inner) for at in others),
    ]
