"""What a value carries: request data in it, and in the objects it is made of.

Only reads the state.
"""

from __future__ import annotations

from leaklint.index.summary import Kind
from leaklint.project import evaluate
from leaklint.project.state import MAKING, Frame, State
from leaklint.project.suspect import Strength
from leaklint.project.values import (
    REQUEST,
    Atom,
    FunctionValue,
    Instance,
    Member,
    Method,
    Taint,
    Value,
)

_NONE: frozenset[Taint] = frozenset()
_HOLDING: frozenset[type[Atom]] = frozenset((Taint, Instance, Method, Member, FunctionValue))


def carried(s: State, frame: Frame | None, value: Value, depth: int = 3) -> frozenset[Taint]:
    """The request data in a value, also inside the objects it is made of.

    Of an object, what it was made with counts; what others wrote to it later is their doing.
    """
    found: set[Taint] = set()
    _carried(s, frame, value, depth, found, set())
    return frozenset(found) if found else _NONE


def _carried(s: State, frame: Frame | None, value: Value, depth: int, found: set[Taint], seen: set[Atom]) -> None:
    for atom in value:
        if atom.__class__ not in _HOLDING:
            continue
        if atom.__class__ is Taint:
            found.add(atom)
        elif atom.__class__ is Instance:
            instance: Instance = atom
            if instance.phase is not REQUEST or atom in seen:
                continue
            seen.add(atom)
            kind = s.models.type(instance.fqn) if instance.fqn else None
            if kind is not None and kind.holds == "request":
                found.add(s.taint(Strength.IDENTITY, "request"))
            if depth > 0 and not instance.joined and not (kind is not None and kind.database):
                if frame is not None:
                    s.watch(atom, MAKING, frame)
                for held in list(s.born.get(instance, {}).values()):
                    _carried(s, frame, held, depth - 1, found, seen)
        elif atom.__class__ is Method and atom not in seen:
            seen.add(atom)
            _carried(s, frame, frozenset((atom.receiver,)), depth, found, seen)
        elif atom.__class__ is Member and atom not in seen:
            seen.add(atom)
            _carried(s, frame, frozenset((atom.owner,)), depth, found, seen)
        elif atom.__class__ is FunctionValue and atom not in seen:
            seen.add(atom)
            _carried_closure(s, frame, atom, depth, found, seen)


def _carried_closure(
    s: State, frame: Frame | None, atom: FunctionValue, depth: int, found: set[Taint], seen: set[Atom]
) -> None:
    """A nested function keeps what it closes over."""
    env = atom.env
    if env is None or env.phase is not REQUEST or depth <= 0 or env.info.function.kind is not Kind.FUNCTION:
        return
    for ident in atom.info.free_names:
        if ident in env.info.function.bound:
            if frame is not None:
                s.watch(env, ident, frame)
            _carried(s, frame, evaluate.everything(s, env, ident), depth - 1, found, seen)
