"""Sets and lists that code only looks into: what is in them is told to nobody.

Asks every place of the program at which such a one is read. What is put into it is not known here.
"""

from __future__ import annotations

from leaklint.index.summary import Attr, Call, Name
from leaklint.project.lifetimes import Lifetimes
from leaklint.project.spots import Spot, spots
from leaklint.project.state import Holder, State
from leaklint.project.values import Instance

_CHANGING = ("add", "append", "discard", "remove", "clear", "update", "difference_update", "__contains__")


def is_only_asked(s: State, lives: Lifetimes, holder: Holder) -> bool:
    """Whether every reader of a set or list asks it for one element, or how many there are."""
    if not isinstance(holder, Instance) or holder.fqn not in ("builtins.set", "builtins.list"):
        return False
    places = set(lives.holders.get(holder, ()))
    if not places or any(name[:1] in "[(" for _, name in places):
        return False
    if holder.fqn == "builtins.list" and not all(isinstance(at, Instance) and at.cls is not None for at, _ in places):
        return False  # a list also goes by names of which nobody knows who reads them
    counted = holder.fqn == "builtins.set"  # of a list that is only counted, the rest is yet to come
    for frame in {frame for place in places for frame in s.reading.get(place, ())}:
        spans = {span for place in places for span, _ in frame.loads.get(place, ())}
        if any(spot.span in spans and not _asks(spot, counted) for spot in spots(frame.info)):
            return False
    return True


def _asks(spot: Spot, counted: bool) -> bool:
    if spot.role in ("test", "target", "drop"):
        return True
    match spot.outer.term if spot.outer is not None else None:
        case Attr(name=name):
            return name in _CHANGING
        case Call(func=Name(id="len" | "bool")):
            return counted
        case _:
            return False
