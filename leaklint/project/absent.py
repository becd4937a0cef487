"""What reading an absent key puts into a mapping: `d[k]` of a `defaultdict(list)` is `d.setdefault(k, [])`.

Which classes do so is in the models; what they are made with says what they make.
"""

from __future__ import annotations

from leaklint.index.summary import Call, Item
from leaklint.project import builtin_calls, calls, evaluate, execute
from leaklint.project.state import ITEMS, Effect, Frame, State, item_field
from leaklint.project.suspect import Access
from leaklint.project.values import (
    NOTHING,
    Atom,
    ClassValue,
    External,
    FunctionValue,
    Instance,
    Method,
    Partial,
    Value,
)


def filled(s: State, frame: Frame, mapping: Instance, term: Item, key: Value, at: int) -> Value:
    """What `mapping[key]` makes where nothing is, kept under the key; nothing when such a mapping raises an error."""
    kind = s.models.type(mapping.fqn)
    if kind is None or not kind.fills:
        return NOTHING
    constant = evaluate.constant_key(term.key, key)
    field = ITEMS if constant is None else item_field(constant)
    made: Value = NOTHING
    for maker in s.read(mapping, "(argument)", frame):
        made = made | _made(s, frame, mapping, field, maker, term, at)
    if made:
        new = Call(term.base, (), (), term.span, -1)
        keeping = Effect(
            Access.MUTATE, mapping, field, term.base, key, term.key, made, new, "setdefault", term.span, at
        )
        execute.keep(s, frame, keeping)
    return made


def _made(s: State, frame: Frame, mapping: Instance, field: str, maker: Atom, term: Item, at: int) -> Value:
    call = Call(term.base, (), (), term.span, -1)
    match maker:
        case External() if fqn := _container(s, maker.fqn):
            return frozenset((s.item_of(mapping, field, None, fqn),))
        case ClassValue():
            item = s.item_of(mapping, field, maker, "")
            calls.initialise(s, frame, item)
            return frozenset((item,))
        case FunctionValue():
            return calls.enter(s, frame, maker, None, call, (), (), apart=(mapping, field))
        case External() | Method() | Partial():
            return calls.call_atom(s, frame, maker, call, (), (), at)
        case _:
            return NOTHING


def _container(s: State, fqn: str) -> str:
    """The class of what a library's class makes; empty where that is no object of its own, as a number is none."""
    model = s.models.call(fqn)
    if fqn in builtin_calls.CONTAINERS:
        return fqn
    return (model.type or fqn) if model is not None and model.gives == "instance" else ""
