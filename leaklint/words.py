"""Facts of a suspect to phrases that several rules say: what is kept, who reads it, where it belongs.

Nothing is looked up, and no phrase claims more than its fact; what a rule concludes is worded by the rule.
"""

from __future__ import annotations

from collections.abc import Sequence

from leaklint.project.suspect import Kept, WriteSuspect

_QUOTED = 40  # characters of source text that a message quotes
_NAMED = 3  # names that a message lists


def short(qualified: str) -> str:
    """The last part of a qualified name; class and method of a method."""
    parts = qualified.split(".")
    return ".".join(parts[-2:]) if len(parts) > 1 and parts[-2][:1].isupper() else parts[-1]


def listed(words: Sequence[str]) -> str:
    """Names in backticks, joined as a sentence does; the fourth and further are counted."""
    quoted = [f"`{word}`" for word in words]
    if len(quoted) <= 1:
        return "".join(quoted)
    if len(quoted) > _NAMED:
        return f"{', '.join(quoted[:_NAMED])} and {len(quoted) - _NAMED} more"
    return f"{', '.join(quoted[:-1])} and {quoted[-1]}"


def value(suspect: WriteSuspect) -> str:
    """What is kept: its source text where that is short, else what the request gave."""
    if suspect.value and len(suspect.value) <= _QUOTED and "\n" not in suspect.value:
        return f"`{suspect.value}`"
    return f"the {suspect.concept}" if suspect.concept else "data"


def slot(suspect: WriteSuspect) -> str:
    """The place without what varies from write to write: `self.items`, `current["user"]`."""
    text = suspect.place.text
    varies = suspect.place.kept is Kept.ITEM and suspect.place.path[-1] == "[*]"
    return text.rpartition("[")[0] if varies and text.endswith("]") else text


def afterwards(suspect: WriteSuspect) -> str:
    """Who gets what is kept, as a clause that ends a sentence; empty when nobody was seen to read it."""
    if suspect.guarded:
        return "; the first request decides for all others"
    readers = sorted({short(use.function) for use in suspect.readers})
    if not readers:
        return ""
    if len(readers) == 1:
        return f", and `{readers[0]}` reads it for another"
    return f", and {listed(readers)} read it for others"


def home(suspect: WriteSuspect, scope: str) -> str:
    """Where the framework of the entry point keeps state of a scope, as `, or use ...`; empty when not known."""
    use = suspect.route.entry.home(scope) if suspect.route is not None else ""
    return f", or use {use}" if use else ""
