"""Where the value of a term goes in its function, and under which name.

Follows a value through the terms around it and through one local name; nothing beyond the function.
"""

from __future__ import annotations

from leaklint.index.summary import Attr, Bind, Call, Const, Item, Name
from leaklint.project.ambient import Survey
from leaklint.project.program import FunctionInfo
from leaklint.project.spots import Spot, around

_DEEP = 3  # local names a value is followed through
_TAKEN = ("arg", "keyword", "entry", "key", "store-key")


def sent_as(found: Survey, info: FunctionInfo, spot: Spot, own: str) -> str:
    """The name under which a value is put into a payload, an argument, a key or a name; empty when it goes nowhere.

    Args:
        found: the survey that holds the function.
        info: the function.
        spot: where the value is.
        own: the value's own name, for places that give it none (`cache[x]`, `f(x)` of an unknown `f`).
    """
    at = spot
    for at in (spot, *around(spot)):
        if at.role in ("keyword", "entry") and at.name:
            return at.name
        if at.role == "arg" and at.outer is not None and isinstance(at.outer.term, Call):
            return _parameter(found, info, at.outer.term, at) or own
        if at.role in ("key", "store-key"):
            return own
    op = info.function.ops[spot.position]
    if at.role != "bind" or not isinstance(op, Bind):
        return ""
    match op.target:
        case Name(id=local):
            return local if _leaves(found, info, local, spot.position) else ""
        case Item(key=Const(value=str(key))):
            return key
        case Attr(name=attribute):
            return attribute
        case _:
            return ""


def _parameter(found: Survey, info: FunctionInfo, call: Call, spot: Spot) -> str:
    """The name of the parameter of a first-party callee that a positional argument reaches."""
    index = next((i for i, a in enumerate(call.args) if a is spot.term), -1)
    for made in found.made(info, call):
        for target in made.targets:
            params = target.info.function.params[1 if target.receiver is not None else 0 :]
            if 0 <= index < len(params):
                return params[index].name
    return ""


def _leaves(found: Survey, info: FunctionInfo, local: str, position: int, depth: int = 0) -> bool:
    """Whether what a local name got at a position goes on into a payload, an argument or a key."""
    for spot in reads(found, info, local, position):
        whole = (spot, *around(spot))
        if found.is_idle(info, spot):
            continue
        if any(o.role in _TAKEN for o in whole):
            return True
        op = info.function.ops[spot.position]
        if depth == _DEEP or whole[-1].role != "bind" or not isinstance(op, Bind) or not isinstance(op.target, Name):
            continue
        if op.target.id != local and _leaves(found, info, op.target.id, spot.position, depth + 1):
            return True
    return False


def keys_with(found: Survey, info: FunctionInfo, spot: Spot, depth: int = 0) -> list[Spot]:
    """Where a value is, or is part of, the key of a look-up in something that outlives the function."""
    keys: list[Spot] = []
    whole = (spot, *around(spot))
    for at in whole:
        if at.outer is not None and (name := _looked_up(at)) and name.id not in info.function.bound:
            keys.append(at)
    op = info.function.ops[spot.position]
    if depth < _DEEP and whole[-1].role == "bind" and isinstance(op, Bind) and isinstance(op.target, Name):
        for read in reads(found, info, op.target.id, spot.position):
            keys += keys_with(found, info, read, depth + 1)
    return keys


def _looked_up(at: Spot) -> Name | None:
    """The container that a term is a key of: `cache[x]`, `cache.get(x)`."""
    match at.outer.term if at.outer is not None else None:
        case Item(base=Name() as container) if at.role == "key":
            return container
        case Call(func=Attr(base=Name() as container, name="get" | "setdefault" | "pop"), args=(first, *_)) if (
            first is at.term
        ):
            return container
        case _:
            return None


def reads(found: Survey, info: FunctionInfo, local: str, position: int) -> list[Spot]:
    """Where a local name may hold what it was bound to at a position."""
    return [
        spot
        for spot in found.spots(info)
        if isinstance(spot.term, Name)
        and spot.term.id == local
        and spot.position > position
        and position in info.reaching(local, spot.position)[0]
    ]
