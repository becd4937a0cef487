"""Two summaries of one file to whether they say the same but for the lines it stands on.

Every comparison that a later stage makes of two places in a file comes out the same then.
"""

from __future__ import annotations

from itertools import pairwise

from msgspec import Struct

from leaklint.index.summary import Function, Kind, ModuleSummary, unpack

_RANGES = ("span", "head")
_NOT_COMPARED = (*_RANGES, "digest", "lines", "words")  # of the text, not of what it says


def same_but_for_lines(old: ModuleSummary, new: ModuleSummary) -> bool:
    """Whether `new` is `old` with its lines further apart or closer together, columns and all else unchanged."""
    lines: dict[int, int] = {}
    pairs: list[tuple[object, object]] = [(old.head, new.head), (old.code, new.code)]
    while pairs:
        one, other = pairs.pop()
        if one.__class__ is not other.__class__:
            return False
        if names := _fields(one):
            pairs += [(getattr(one, name), getattr(other, name)) for name in names if name not in _NOT_COMPARED]
            ranges = [(getattr(one, name), getattr(other, name)) for name in names if name in _RANGES]
            if not _is_module(one) and not all(_moved(before, after, lines) for before, after in ranges):
                return False
        elif isinstance(one, tuple) and isinstance(other, tuple):
            if len(one) != len(other):
                return False
            pairs += zip(one, other, strict=True)
        elif one != other or (isinstance(one, float | complex) and repr(one) != repr(other)):
            return False
    ordered = sorted(lines.items())
    return all(here < there for (_, here), (_, there) in pairwise(ordered))


def _is_module(value: object) -> bool:
    """Whether it is the module's body, which begins in line 1 wherever its statements are."""
    return isinstance(value, Function) and value.kind is Kind.MODULE


def _fields(value: object) -> tuple[str, ...]:
    return value.__struct_fields__ if isinstance(value, Struct) else ()


def _moved(old: int, new: int, lines: dict[int, int]) -> bool:
    """Whether a range has kept its columns, and its lines have gone where `lines` says; adds them to `lines`."""
    line, column, end_line, end_column = unpack(old)
    at, start, end_at, end = unpack(new)
    if (column, end_column) != (start, end):
        return False
    return lines.setdefault(line, at) == at and lines.setdefault(end_line, end_at) == end_at
