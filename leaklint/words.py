"""Facts of a suspect to phrases that several rules say: what is kept, who reads it, where it belongs.

Nothing is looked up, and no phrase claims more than its fact; what a rule concludes is worded by the rule.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from leaklint.project.suspect import PlaceKind, WriteSuspect

_QUOTED = 48  # characters of source text that a message quotes
_EMPTY = ("[]", "{}", "set()", "list()", "dict()")  # what is put in afterwards is what is kept
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


def clipped(text: str) -> str:
    """Source text as far as a message quotes it."""
    return text if len(text) <= _QUOTED else f"{text[: _QUOTED - 1]}…"


def value(suspect: WriteSuspect) -> str:
    """What is kept: its source text where that is short, else what the request gave."""
    text = suspect.value.partition("= ")[2] if suspect.how == "augment" else suspect.value
    if text and len(text) <= _QUOTED and "\n" not in text and text not in _EMPTY:
        return f"`{text}`"
    return f"the {suspect.concept}" if suspect.concept else "data"


def slot(suspect: WriteSuspect) -> str:
    """The place as the code writes it, without what varies from write to write: `self.items`, `current["user"]`."""
    place, text = suspect.place, suspect.place.text
    if suspect.how == "item" and place.path[-1:] == ("[*]",):
        text = text.rpartition("[")[0]
    if suspect.how != "setattr" and re.search(rf"\b{re.escape(place.slot)}\b", text):
        return text
    name = f"{short(place.owner)}.{place.slot}" if place.kind in (PlaceKind.INSTANCE, PlaceKind.CLASS) else place.slot
    return name + "".join(part for part in place.path if part != "[*]")


def afterwards(suspect: WriteSuspect) -> str:
    """Who gets what is kept, as a clause that ends a sentence; empty when nobody was seen to read it."""
    if suspect.guarded:
        return "; the first request decides for all others"
    readers = sorted({short(use.function) for use in suspect.readers})
    if not readers:
        return ""
    return f"; other requests read it in {listed(readers)}"


def home(suspect: WriteSuspect, scope: str) -> str:
    """Where the framework of the entry point keeps state of a scope, as `, or use ...`; empty when not known."""
    use = _home(suspect, scope)
    return f", or use {use}" if use else ""


def homes(suspect: WriteSuspect) -> str:
    """Where the framework keeps what belongs to a request, and what must last longer."""
    lasting = _home(suspect, "session")
    return home(suspect, "request") + (f"; between requests, use {lasting}" if lasting else "")


def _home(suspect: WriteSuspect, scope: str) -> str:
    return suspect.route.entry.home(scope) if suspect.route is not None else ""
