"""What a function asks of shared maps and slots before it acts: the look-ups in its conditions and values.

A look-up in a callee whose result is tested counts as the caller's. What is done afterwards is found elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from leaklint.index.summary import (
    Attr,
    Await,
    Bind,
    Blend,
    BlockKind,
    Call,
    Choice,
    Const,
    Display,
    How,
    Item,
    Name,
    Return,
    Star,
    Term,
    Test,
)
from leaklint.project import evaluate
from leaklint.project.program import ancestors
from leaklint.project.state import Frame, Holder, State
from leaklint.project.terms import Shape, arguments, shape
from leaklint.project.values import Value

_ASKING = ("get", "__contains__", "__getitem__", "has_key")
_DEEP = 3  # local names and callees that are followed to a look-up


class LookUp(NamedTuple):
    """A read of an entry or attribute that a later step depends on."""

    holders: Value
    field: str  # of attributes; empty for entries under `key`
    key: Shape
    position: int  # of the operation in the frame that depends on it
    order: int
    term: Term  # as the code says it


def deciding(s: State, frame: Frame, position: int) -> Iterator[LookUp]:
    """The look-ups that decide whether `ops[position]` runs, the last one first."""
    found: list[LookUp] = []
    for term, at in _tests(frame, position):
        found.extend(in_term(s, frame, term, at))
    found.extend(_tried(s, frame, position))
    yield from sorted(found, key=lambda r: -r.order)


def in_term(s: State, frame: Frame, term: Term, at: int, deep: int = _DEEP) -> Iterator[LookUp]:
    """The look-ups that the value of a term comes from."""
    yield from _reads(s, frame, term, at, deep, None)


# --- what decides ---------------------------------------------------------------------------------------------------


def _tests(frame: Frame, position: int) -> Iterator[tuple[Term, int]]:
    """The conditions around an operation and those of earlier exits, each with the operation that asks it."""
    function = frame.info.function
    op, blocks = function.ops[position], function.blocks
    enclosing = set(ancestors(blocks, op.block))
    for index, block in enumerate(blocks):
        if block.term is None or block.kind not in (BlockKind.IF, BlockKind.ELSE, BlockKind.CASE, BlockKind.LOOP):
            continue
        around = index in enclosing
        exits = block.kind is BlockKind.IF and block.exits and block.end <= op.order and block.parent in enclosing
        if not around and not exits:
            continue
        asked = [
            p
            for p, o in enumerate(function.ops[:position])
            if o.order <= block.start and getattr(o, "term", None) == block.term
        ]
        if asked:
            yield block.term, asked[-1]


def _tried(s: State, frame: Frame, position: int) -> Iterator[LookUp]:
    """`try: return items[key]` before `except KeyError:`."""
    function = frame.info.function
    enclosing = set(ancestors(function.blocks, function.ops[position].block))
    for index in enclosing:
        block = function.blocks[index]
        if block.kind is not BlockKind.EXCEPT or "KeyError" not in _names(block.term):
            continue
        for at, op in enumerate(function.ops[:position]):
            of = function.blocks[op.block]
            if of.kind is BlockKind.TRY and of.peer == block.peer and isinstance(op, (Return, Bind)):
                yield from in_term(s, frame, op.value, at)


def _names(term: Term | None) -> set[str]:
    match term:
        case Name(id=name) | Attr(name=name):
            return {name}
        case Display(values=values):
            return set().union(*(_names(v) for v in values))
        case _:
            return set()


# --- look-ups in terms ----------------------------------------------------------------------------------------------


def _reads(
    s: State, frame: Frame, term: Term, at: int, deep: int, given: Mapping[str, Shape] | None
) -> Iterator[LookUp]:
    """Look-ups in a term of `frame`; `given` says its parameters in the terms of a caller."""
    op = frame.info.function.ops[at]

    def entry(base: Term, key: Term) -> LookUp:
        holders = evaluate.evaluate(s, frame, base, at)
        return LookUp(holders, "", shape(frame.info, key, at, given), at, op.order, term)

    match term:
        case Test(op="In" | "NotIn", parts=(key, base)):
            yield entry(base, key)
            yield from _reads(s, frame, base, at, deep, given)
        case Call(func=Attr(base=base, name=name), args=(key, *_)) if name in _ASKING and not _targets(frame, term):
            yield entry(base, key)
        case Item(base=base, key=key):
            yield entry(base, key)
            yield from _reads(s, frame, base, at, deep, given)
        case Attr(base=base, name=name):
            yield LookUp(evaluate.evaluate(s, frame, base, at), name, None, at, op.order, term)
            yield from _reads(s, frame, base, at, deep, given)
        case Call(func=Name(id="hasattr" | "getattr"), args=(base, Const(value=str(name)), *_)):
            yield LookUp(evaluate.evaluate(s, frame, base, at), name, None, at, op.order, term)
        case Call() if deep > 0 and (targets := _targets(frame, term)):
            yield from _returned(s, frame, term, at, deep, given, targets)
        case Name(id=name) if deep > 0:
            yield from _bound(s, frame, name, at, deep, given)
        case Test(parts=parts) | Choice(parts=parts) | Blend(parts=parts):
            for part in parts:
                yield from _reads(s, frame, part, at, deep, given)
        case Call(args=args) if not isinstance(term.func, Attr):
            for arg in args:
                yield from _reads(s, frame, arg, at, deep, given)
        case Call(func=Attr(base=base)):
            yield from _reads(s, frame, base, at, deep, given)
        case Await(value=value) | Star(value=value):
            yield from _reads(s, frame, value, at, deep, given)


def _targets(frame: Frame, call: Call) -> tuple[Frame, ...]:
    made = frame.made.get(call.order)
    return made.targets if made is not None else ()


def _bound(
    s: State, frame: Frame, name: str, at: int, deep: int, given: Mapping[str, Shape] | None
) -> Iterator[LookUp]:
    function = frame.info.function
    if name not in function.bound:
        return
    for bind in frame.info.reaching(name, at)[0]:
        op = function.ops[bind]
        if isinstance(op, Bind) and op.how is How.ASSIGN and bind < at:
            yield from _reads(s, frame, op.value, bind, deep - 1, given)


def _returned(
    s: State,
    frame: Frame,
    call: Call,
    at: int,
    deep: int,
    given: Mapping[str, Shape] | None,
    targets: tuple[Frame, ...],
) -> Iterator[LookUp]:
    """What a callee looked up to answer, said in the caller's terms and placed at the call."""
    op = frame.info.function.ops[at]
    for target in targets[:2]:
        if target.info.function.is_generator or target is frame:
            continue
        passed = arguments(frame.info, call, at, target.info, target.receiver is not None, given)
        for position, returned in enumerate(target.info.function.ops):
            if isinstance(returned, Return):
                for read in _reads(s, target, returned.value, position, deep - 1, passed):
                    yield read._replace(position=at, order=op.order, term=call)


def matches(read: LookUp, holder: Holder, field: str, key: Shape) -> bool:
    """Whether a look-up asks for the entry or attribute that a write changes."""
    if holder not in read.holders:
        return False
    if field[:1] != "[":
        return read.field == field
    return not read.field and read.key == key
