"""The terms of one function with what stands around each, and what a name in it was computed from.

Structure of one function only: nothing here evaluates a term or knows what a call runs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from msgspec import Struct

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
    Drop,
    Eval,
    Item,
    Name,
    Op,
    Part,
    Range,
    Return,
    Star,
    Term,
    Test,
    Yield,
)
from leaklint.project.program import FunctionInfo, ancestors

_DEEP = 12  # bindings of bindings of ... that `origins` follows


class Spot(Struct, frozen=True):
    """A term where it stands; `role` is what it is to the term around it, or to its operation."""

    term: Term
    position: int  # in the function's `ops`
    role: str  # "func", "arg", "keyword", "entry", "key", "element", "part", "test", "base", "bind", "return", ...
    name: str  # of keywords, of the constant key of an entry
    outer: Spot | None

    @property
    def span(self) -> Range:
        """The range of the term; 0 when it has none of its own."""
        return getattr(self.term, "span", 0)


def spots(info: FunctionInfo) -> Iterator[Spot]:
    """Every term of a function's body, outer ones first."""
    for position, op in enumerate(info.function.ops):
        for role, term in _roots(op):
            stack = [Spot(term, position, role, "", None)]
            while stack:
                spot = stack.pop()
                yield spot
                stack += [Spot(inner, position, role, name, spot) for role, name, inner in parts(spot.term)]


def _roots(op: Op) -> Iterator[tuple[str, Term]]:
    match op:
        case Bind(target=target, value=value):
            yield "bind", value
            match target:
                case Attr(base=base):
                    yield "target", base
                case Item(base=base, key=key):
                    yield "target", base
                    yield "store-key", key
        case Eval(term=term):
            yield "eval", term
        case Return(value=value):
            yield "return", value
        case Drop(target=target):
            yield "drop", target


def parts(term: Term) -> Sequence[tuple[str, str, Term]]:
    """The terms directly inside a term, with their role and name."""
    of = _PARTS.get(term.__class__)
    return of(term) if of is not None else ()


def _of_call(term: Call) -> list[tuple[str, str, Term]]:
    found = [("func", "", term.func)]
    found += [("arg", "", arg) for arg in term.args]
    found += [("spread" if name is None else "keyword", name or "", value) for name, value in term.keywords]
    return found


def _of_choice(term: Choice) -> list[tuple[str, str, Term]]:
    found = [("part", term.op, part) for part in term.parts]
    return found if term.test is None else [("test", "", term.test), *found]


def _of_display(term: Display) -> list[tuple[str, str, Term]]:
    if not term.keys:
        return [("element", "", value) for value in term.values]
    found: list[tuple[str, str, Term]] = []
    for key, value in zip(term.keys, term.values, strict=False):
        if key is None:
            found.append(("spread", "", value))
            continue
        found.append(("entry-key", "", key))
        named = key.value if isinstance(key, Const) and isinstance(key.value, str) else ""
        found.append(("entry", named, value))
    return found


def _of_value(term: Any) -> tuple[tuple[str, str, Term]]:
    return (("same", "", term.value),)


_PARTS: dict[type, Callable[[Any], Sequence[tuple[str, str, Term]]]] = {
    Attr: lambda term: (("base", "", term.base),),
    Item: lambda term: (("base", "", term.base), ("key", "", term.key)),
    Call: _of_call,
    Choice: _of_choice,
    Test: lambda term: [("test", "", part) for part in term.parts],
    Blend: lambda term: [("piece", "", part) for part in term.parts],
    Display: _of_display,
    Star: _of_value,
    Part: _of_value,
    Await: _of_value,
    Yield: _of_value,
}


def around(spot: Spot) -> Iterator[Spot]:
    """The spots that hold a spot, innermost first."""
    at = spot.outer
    while at is not None:
        yield at
        at = at.outer


def names(term: Term) -> set[str]:
    """The bare names in a term."""
    found: set[str] = set()
    stack = [term]
    while stack:
        at = stack.pop()
        if isinstance(at, Name):
            found.add(at.id)
        stack.extend(inner for _, _, inner in parts(at))
    return found


def origins(info: FunctionInfo, term: Term, position: int) -> set[str]:
    """The names a term is computed from: those in it, and those its local names were bound from or filled with."""
    found: set[str] = set()
    work = [(name, position, 0) for name in names(term)]
    while work:
        name, at, depth = work.pop()
        if name in found:
            continue
        found.add(name)
        if depth >= _DEEP:
            continue
        for bind in info.reaching(name, at)[0]:
            value = info.function.ops[bind].value  # type: ignore[union-attr]
            work.extend((inner, bind, depth + 1) for inner in names(value))
        for filled, value in _fillings(info, name, at):
            work.extend((inner, filled, depth + 1) for inner in names(value))
    return found


def _fillings(info: FunctionInfo, name: str, position: int) -> Iterator[tuple[int, Term]]:
    """What is put into a local object before a position: `x["k"] = v`, `x.k = v`, `x.update(v)`."""
    if name not in info.function.bound or name in info.param_names:
        return
    for at, op in enumerate(info.function.ops[:position]):
        match op:
            case Bind(target=Item(base=Name(id=base)) | Attr(base=Name(id=base)), value=value) if base == name:
                yield at, value
            case Eval(term=Call(func=Attr(base=Name(id=base)), args=args, keywords=keywords)) if base == name:
                for given in (*args, *(v for _, v in keywords)):
                    yield at, given


def conditions(info: FunctionInfo, position: int) -> Iterator[tuple[Term, int]]:
    """The tests that decide whether `ops[position]` runs, with the position they are evaluated at.

    Those of the blocks around it, and those of earlier blocks that leave the function.
    """
    function = info.function
    op, blocks = function.ops[position], function.blocks
    enclosing = set(ancestors(blocks, op.block))
    for index, block in enumerate(blocks):
        if block.term is None or block.kind not in (BlockKind.IF, BlockKind.ELSE, BlockKind.CASE):
            continue
        if index in enclosing or (block.exits and block.end <= op.order and block.parent in enclosing):
            yield block.term, position
