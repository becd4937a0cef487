"""Facts about a leak and the files concerned, in; a fix, in edits of those files or refused with the reason, out.

Each module is one conversion, shared by rules. None of them finds out what leaks, and none writes a file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from msgspec.structs import replace

from leaklint.finding import Edit, Fix, Safety
from leaklint.syntax import NotAnalysed, in_order


class Refused(Exception):  # noqa: N818  # a refusal is an answer
    """A conversion that would not be right; the message is one clause that names the site."""


def first(*ways: Callable[[], Fix]) -> Fix:
    """The fix of the first way that is not refused; else a refusal that gives the reasons of all of them."""
    refused: list[Fix] = []
    for way in ways:
        fix = way()
        if fix.edits:
            return fix
        refused.append(fix)
    reasons = dict.fromkeys(fix.refused for fix in refused if fix.refused)
    return replace(refused[-1], refused="; ".join(reasons))


def offer(title: str, safety: Safety, convert: Callable[[], Iterable[Edit]]) -> Fix:
    """The fix that `convert` makes, refused where it raises Refused, NotAnalysed or for edits that overlap."""
    try:
        edits = in_order(convert())
    except (Refused, NotAnalysed) as reason:
        return Fix(title, safety, refused=str(reason))
    except ValueError as overlap:
        return Fix(title, safety, refused=f"the places to change lie in one another: {overlap}")
    if not edits:
        return Fix(title, safety, refused="there is nothing left to change")
    return Fix(title, safety, edits)
