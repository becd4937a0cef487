"""Writes to an object before anybody else can get at it: they belong to its making.

What a function puts into an object that it makes, or has the object's own methods put there, before it stores the
object anywhere. Reads the solved program.
"""

from __future__ import annotations

from leaklint.index.summary import Attr, Bind, Call, Name
from leaklint.project.execute import is_making
from leaklint.project.lifetimes import Lifetimes
from leaklint.project.program import FunctionInfo
from leaklint.project.state import Edge, Effect, Frame, State
from leaklint.project.values import Instance

_DEEP = 4  # calls from who stores an object to who makes it


def is_part_of_making(s: State, lives: Lifetimes, frame: Frame, effect: Effect) -> bool:
    """Whether a write goes to an object that is still being made, before it is stored anywhere."""
    holder = effect.holder
    if not isinstance(holder, Instance):
        return False
    places = ((outer, s.edges.get((outer, name, holder))) for outer, name in lives.holders.get(holder, ()))
    stores = [(outer, edge) for outer, edge in places if outer is not holder and edge is not None]
    if is_making(frame, holder):
        return not any(e.frame is frame and e.effect.position <= effect.position for _, e in stores)
    kept = [edge for outer, edge in stores if lives.why(outer) is not None]
    return bool(kept) and all(_is_started_by(frame, holder, edge) for edge in kept)


def _is_started_by(frame: Frame, holder: Instance, store: Edge) -> bool:
    """Whether all calls that lead to a method of an object come from its storer, before it is stored."""
    storer, order = store.frame.info, store.frame.info.function.ops[store.effect.position].order
    if frame.receiver is not holder or not _makes(store.frame, holder, order):
        return False
    work = [frame]
    for at in work:
        if at.entry is not None or not at.callers:
            return False
        for caller, call in at.callers.items():
            if caller.info is storer:
                if call.order >= order or not _is_new(caller, call):
                    return False
            elif caller.receiver is not holder:
                return False
            elif caller not in work:
                work.append(caller)
    return True


def _makes(frame: Frame, holder: Instance, order: int) -> bool:
    """Whether an object is made in a frame, or below its calls, before a point of it."""
    if holder.frame is frame:
        return True
    below = [t for made in frame.made.values() if made.term.order < order for t in made.targets]
    seen: set[Frame] = set()
    for _ in range(_DEEP):
        if holder.frame in below:
            return True
        seen.update(below)
        below = [t for f in below for made in f.made.values() for t in made.targets if t not in seen]
    return False


def _is_new(frame: Frame, call: Call) -> bool:
    """Whether a method is called on what a function of the program has just given back."""
    if not isinstance(call.func, Attr) or not isinstance(call.func.base, Name):
        return False
    made = next((m for m in frame.made.values() if m.term is call), None)
    binds, initial = frame.info.reaching(call.func.base.id, made.position) if made is not None else ((), True)
    values = [_value(frame.info, position) for position in binds]
    return not initial and bool(values) and all(isinstance(v, Call) and _runs(frame, v) for v in values)


def _value(info: FunctionInfo, position: int) -> object:
    op = info.function.ops[position]
    return op.value if isinstance(op, Bind) else None


def _runs(frame: Frame, call: Call) -> bool:
    made = frame.made.get(call.order)
    return made is not None and bool(made.targets)
