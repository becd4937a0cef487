"""Edits to the few lines of a diff that show them under a finding.

It is for reading, not for `patch`: no file names, no line numbers.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from itertools import pairwise

from leaklint.files import split_lines
from leaklint.finding import Edit

_CONTEXT = 1  # lines


def changed_lines(text: str, edits: Sequence[Edit]) -> Iterator[tuple[str, str]]:
    """Each line of the diff as its sign (`-`, `+`, a blank, or `.` for a gap) and its text.

    Yields nothing when the edits do not fit `text` or one another.
    """
    ordered = sorted(edits, key=lambda edit: (edit.start, edit.end))
    if any(text[edit.start : edit.end] != edit.expected for edit in ordered):
        return
    if any(one.end > other.start for one, other in pairwise(ordered)):
        return
    for number, (begin, end, region) in enumerate(_regions(text, ordered)):
        if number:
            yield ".", ""
        yield from _compared(text[begin:end], _applied(text, region, begin, end))


def _regions(text: str, edits: Sequence[Edit]) -> list[tuple[int, int, list[Edit]]]:
    """Stretches of whole lines that hold the edits and their context, with the edits of each."""
    regions: list[tuple[int, int, list[Edit]]] = []
    for edit in edits:
        begin, end = _line_start(text, edit.start, _CONTEXT), _line_end(text, _last(edit), _CONTEXT)
        if regions and begin <= regions[-1][1] + 1:
            first, _, inside = regions.pop()
            regions.append((first, end, [*inside, edit]))
        else:
            regions.append((begin, end, [edit]))
    return regions


def _last(edit: Edit) -> int:
    """Where the last line that the edit changes is: a line end that goes with it does not reach into the next line."""
    return edit.end - len(edit.expected) + len(edit.expected.rstrip("\r\n"))


def _line_start(text: str, position: int, lines_above: int) -> int:
    for number in range(lines_above + 1):
        position = max(text.rfind("\n", 0, position), text.rfind("\r", 0, position))
        if position < 0:
            return 0
        if number < lines_above and text.endswith("\r\n", 0, position + 1):
            position -= 1
    return position + 1


def _line_end(text: str, position: int, lines_below: int) -> int:
    for number in range(lines_below + 1):
        ends = [found for found in (text.find("\n", position), text.find("\r", position)) if found >= 0]
        if not ends:
            return len(text)
        position = min(ends)
        if number < lines_below:
            position += 2 if text.startswith("\r\n", position) else 1
    return position


def _applied(text: str, edits: Sequence[Edit], begin: int, end: int) -> str:
    parts: list[str] = []
    for edit in edits:
        parts += [text[begin : edit.start], edit.replacement]
        begin = edit.end
    return "".join((*parts, text[begin:end]))


def _compared(before: str, after: str) -> Iterator[tuple[str, str]]:
    old, new = split_lines(before), split_lines(after)
    for tag, old_from, old_to, new_from, new_to in difflib.SequenceMatcher(a=old, b=new, autojunk=False).get_opcodes():
        if tag == "equal":
            yield from ((" ", line) for line in old[old_from:old_to])
            continue
        yield from (("-", line) for line in old[old_from:old_to])
        yield from (("+", line) for line in new[new_from:new_to])
