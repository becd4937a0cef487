"""Whether a write happens only while its place is still empty (`if x is None: x = ...`), or takes out of it.

Purely structural: compares terms of one function, resolves nothing.
"""

from __future__ import annotations

from typing import Any

from leaklint.index.summary import (
    Attr,
    Bind,
    Blend,
    Block,
    BlockKind,
    Call,
    Choice,
    Const,
    Display,
    Function,
    How,
    Item,
    Name,
    Part,
    Term,
    Test,
    covers,
)
from leaklint.project.program import ancestors

_ASSIGNING = ("assign", "global", "nonlocal", "item", "setattr")


def is_guarded(function: Function, position: int, place: Term, how: str) -> bool:
    """Whether `ops[position]` writes `place` only where a test found it empty.

    True inside `if not place`, `if place is None`, `if key not in place`, `if not hasattr(o, "place")`, and behind an
    early exit on the opposite test; `setdefault` guards itself.
    """
    if how == "setdefault":
        return True
    if how not in _ASSIGNING:
        return False
    wanted = {_shape(place)}
    if isinstance(place, Item):
        wanted.add(_shape(place.base))
    wanted |= _aliases(function, position, wanted)
    op = function.ops[position]
    blocks = function.blocks
    for block in ancestors(blocks, op.block):
        test = blocks[block].term
        if blocks[block].kind in (BlockKind.IF, BlockKind.ELSE) and test is not None and _tests(test, wanted):
            return True
    return _behind_exit(function, position, wanted)


def is_what_is_left(function: Function, position: int, place: Term, value: Term | None) -> bool:
    """Whether `ops[position]` sets a collection to some of its own items: `x = [item for item in x if ...]`."""
    if not isinstance(value, Display) or len(value.values) != 1 or not isinstance(value.values[0], Name):
        return False
    item = value.values[0].id
    loops = [
        op.value
        for op in function.ops[:position]
        if isinstance(op, Bind) and op.how is How.LOOP and isinstance(op.target, Name) and op.target.id == item
        if covers(value.span, op.span)
    ]
    return bool(loops) and all(_shape(_looped(term)) == _shape(place) for term in loops)


def _looped(term: Term) -> Term:
    """What a loop goes through."""
    while isinstance(term, Part):
        term = term.value
    match term:
        case Call(func=Attr(base=base, name="items"), args=()):
            return base
        case _:
            return term


def _behind_exit(function: Function, position: int, wanted: set[object]) -> bool:
    op = function.ops[position]
    around = set(ancestors(function.blocks, op.block))
    for block in function.blocks:
        if _is_exit(block) and block.end <= op.order and block.parent in around and block.term is not None:
            if _tests(block.term, wanted):
                return True
    return False


def _is_exit(block: Block) -> bool:
    return block.kind is BlockKind.IF and block.exits


def _aliases(function: Function, position: int, wanted: set[object]) -> set[object]:
    """Locals that were just read from the place: `agent = cls._agent`, `found = cache.get(key)`."""
    found: set[object] = set()
    for op in function.ops[:position]:
        target, value = getattr(op, "target", None), getattr(op, "value", None)
        if isinstance(target, Name) and value is not None and _reads(value, wanted):
            found.add(_shape(target))
    return found


def _reads(value: Term, wanted: set[object]) -> bool:
    if _shape(value) in wanted:
        return True
    if isinstance(value, Call) and isinstance(value.func, Attr) and value.func.name == "get":
        return _shape(value.func.base) in wanted
    if isinstance(value, Call) and isinstance(value.func, Name) and value.func.id == "getattr":
        return _attribute_shape(value) in wanted
    return False


def _tests(test: Term, wanted: set[object]) -> bool:
    """Whether a condition asks about one of the wanted shapes."""
    if _shape(test) in wanted:
        return True
    match test:
        case Test(op="Eq" | "NotEq", parts=parts) if not any(isinstance(p, Const) for p in parts):
            return False  # asks for another value, and not for none
        case Test(parts=parts) | Choice(parts=parts) | Blend(parts=parts):
            return any(_tests(p, wanted) for p in parts)
        case Call(func=Name(id="hasattr" | "getattr")):
            return _attribute_shape(test) in wanted
        case Call(func=Attr(base=base)):
            return _shape(base) in wanted
        case _:
            return False


def _attribute_shape(call: Call) -> object:
    if len(call.args) > 1 and isinstance(call.args[1], Const):
        return ("attr", _shape(call.args[0]), call.args[1].value)
    return None


def _shape(term: Any) -> object:
    """A term without its positions; `None` for terms that name no place."""
    match term:
        case Name(id=name):
            return ("name", name)
        case Attr(base=base, name=name):
            return ("attr", _shape(base), name)
        case Item(base=base, key=key):
            return ("item", _shape(base), _shape(key))
        case Const(value=value):
            return ("const", value)
        case _:
            return None


same_shape = _shape
