"""Ids that a request has just made for itself, by which no other request looks for anything: tokens, keys of new rows.

Values and structure of a solved program; what is looked for by them is not known here.
"""

from __future__ import annotations

from leaklint.index.summary import Attr, Name, Term
from leaklint.project import calls, evaluate
from leaklint.project.bindings import argument
from leaklint.project.state import Frame, State
from leaklint.project.values import Atom, ClassValue, Instance, Phase, Taint, Token, Value

_KEYS = ("id", "pk")
_DEEP = 3  # calls that a parameter is followed up


def is_new(s: State, frame: Frame, term: Term, value: Value, position: int, deep: int = _DEEP) -> bool:
    """Whether a term is an id that this request has just made, whoever of its functions did."""
    if value and all(isinstance(a, Token) and a.fresh and a.phase is Phase.REQUEST for a in value):
        return True
    match term:
        case Attr(base=base, name=name) if name in _KEYS and not any(isinstance(a, (Taint, Token)) for a in value):
            rows = evaluate.evaluate(s, frame, base, position)
            return bool(rows) and all(_is_made_here(s, atom) for atom in rows)
        case Name(id=name) if deep and name in frame.info.param_names and frame.entry is None:
            if name in frame.info.function.bound and frame.info.reaching(name, position)[0]:
                return False  # set anew
            return _is_given_new(s, frame, name, deep - 1)
        case _:
            return False


def _is_given_new(s: State, frame: Frame, name: str, deep: int) -> bool:
    """Whether all who call a function in requests give it such an id."""
    ways = [
        (caller, made)
        for caller in frame.callers
        if caller.phase is Phase.REQUEST
        for made in caller.made.values()
        if frame in made.targets
    ]
    for caller, made in ways:
        given = argument(made.term, frame, name)
        if given is None:
            return False
        value = evaluate.evaluate(s, caller, given, made.position)
        if not is_new(s, caller, given, value, made.position, deep):
            return False
    return bool(ways)


def _is_made_here(s: State, atom: Atom) -> bool:
    """Whether it is a new row: an object of a class of rows that code of the program makes, and did not load."""
    if not isinstance(atom, Instance) or atom.cls is None or atom.phase is not Phase.REQUEST or atom.frame is None:
        return False
    kinds = (s.models.type(fqn) for fqn in calls.mro(s, atom.cls)[1])
    if not any(kind is not None and kind.row for kind in kinds):
        return False
    makers = [made for made in atom.frame.made.values() if made.term.span == atom.span]
    return any(
        isinstance(a, ClassValue) and a.info is atom.cls.info
        for made in makers
        for a in evaluate.evaluate(s, atom.frame, made.term.func, made.position)
    )
