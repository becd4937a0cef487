"""Marks of how far work was done: a time that a job reads, works from and moves on, once for all whom it works for.

Purely about one write: whether a request that asks for the work of one moves the mark of all.
"""

from __future__ import annotations

from leaklint.index.summary import Bind, Call, Name, Term
from leaklint.models import Models
from leaklint.project.guards import same_shape
from leaklint.project.program import FunctionInfo
from leaklint.project.spots import Spot, around, conditions, origins, spots
from leaklint.project.state import Effect, Frame, State
from leaklint.project.suspect import Access
from leaklint.project.values import Phase, Token


def is_mark_of_all(s: State, frame: Frame, effect: Effect) -> bool:
    """Whether a request for one of many sets the time from which the next run, for any of them, will start.

    The function takes the id of one, runs outside of requests too, hands the old time on, and sets the new one
    whatever the id is.
    """
    if effect.access is not Access.STORE or effect.how not in ("global", "assign"):
        return False
    if not any(isinstance(atom, Token) and not atom.fresh for atom in effect.value):
        return False
    info = frame.info
    ids = {p.name for p in info.function.params if _is_id(s.models, p.name)}
    if not ids or any(origins(info, test, at) & ids for test, at in conditions(info, effect.position)):
        return False
    if not any(other.info is info and other.phase is Phase.SETUP for other in s.frames):
        return False
    return _is_handed_on(info, effect)


def _is_id(models: Models, name: str) -> bool:
    return name.endswith("_id") or bool(models.concept(name))


def _is_handed_on(info: FunctionInfo, effect: Effect) -> bool:
    """Whether what the place held before goes into a call, other than to be compared."""
    wanted, known = same_shape(effect.place), tuple(spots(info))
    read = [spot for spot in known if same_shape(spot.term) == wanted and spot.position < effect.position]
    holders = {name for spot in read if (name := _bound_to(info, spot))}
    for spot in known:
        if not isinstance(spot.term, Call):
            continue
        given: list[Term] = [*spot.term.args, *(value for _, value in spot.term.keywords)]
        if any(isinstance(term, Name) and term.id in holders for term in given):
            return True
    return False


def _bound_to(info: FunctionInfo, spot: Spot) -> str:
    """The local name that a read is bound to, alone or as one of several choices; empty where it is only tested."""
    if any(inner.role not in ("part", "bind") for inner in (spot, *around(spot))):
        return ""
    op = info.function.ops[spot.position]
    return op.target.id if isinstance(op, Bind) and isinstance(op.target, Name) else ""
