"""Text of other people to text that a terminal shows as it stands, and how many cells it takes.

Control characters and marks that reorder a line are escaped: source code must not be able to steer the terminal.
"""

from __future__ import annotations

import unicodedata
from enum import Enum

TAB = 4  # cells
_JOINERS = "\u200c\u200d"  # scripts and emoji need them, and they move nothing


class Style(Enum):
    """What a piece of text is, as the SGR parameters of a terminal."""

    LEAK = "1;31"
    RACE = "1;33"
    TRACE = "1;36"
    ERROR = "1;31"
    PRIMARY = "31"
    SECONDARY = "34"
    GUTTER = "34"
    ADDED = "32"
    REMOVED = "31"
    BOLD = "1"
    CODE = "36"
    DIM = "2"


def styled(text: str, style: Style, color: bool) -> str:
    """`text` in `style` where colours are wanted."""
    return f"\x1b[{style.value}m{text}\x1b[0m" if color and text else text


def plain(text: str) -> str:
    """`text` on one line with nothing in it that a terminal would obey."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(shown for shown, _ in cells(text.replace("\t", " ")))


def width(text: str) -> int:
    """How many cells a terminal uses for `text`."""
    if text.isascii() and text.isprintable():
        return len(text)
    return sum(cell for _, cell in cells(text))


def cells(text: str) -> list[tuple[str, int]]:
    """Each code point of one line as it is shown, and its width in cells."""
    shown: list[tuple[str, int]] = []
    column = 0
    for character in text:
        if character == "\t":
            gap = TAB - column % TAB
            shown.append((" " * gap, gap))
        else:
            shown.append(_cell(character))
        column += shown[-1][1]
    return shown


def _cell(character: str) -> tuple[str, int]:
    if " " <= character <= "~":
        return character, 1
    category = unicodedata.category(character)
    if category in ("Mn", "Me") or character in _JOINERS:
        return character, 0
    if category.startswith("C") or category in ("Zl", "Zp"):
        escape = character.encode("unicode_escape").decode("ascii")
        return escape, len(escape)
    return character, 2 if unicodedata.east_asian_width(character) in "WF" else 1
