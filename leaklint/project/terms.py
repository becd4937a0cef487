"""Terms without their positions, so that two steps of a program can be asked whether they mean the same key.

Follows local names to what they were bound to, and parameters to the arguments of one call. Evaluates nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeAlias

from leaklint.index.summary import (
    LEAVES,
    Attr,
    Await,
    Blend,
    Call,
    Choice,
    Const,
    Display,
    Item,
    Name,
    Op,
    ParamKind,
    Part,
    Star,
    Term,
    inside,
)
from leaklint.project.program import FunctionInfo

Shape: TypeAlias = object
_CONVERSIONS = ("str", "int", "tuple", "frozenset", "lower", "upper", "strip", "format", "join", "encode")
_DEEP = 4  # local names that are followed


def shape(
    info: FunctionInfo, term: Term, position: int, given: Mapping[str, Shape] | None = None, deep: int = _DEEP
) -> Shape:
    """What a term says at an operation of a function; equal shapes of one function mean equal values.

    Args:
        info: the function.
        term: a term of it.
        position: of the operation, which decides what local names hold.
        given: shapes of the arguments, by parameter, to say it in the caller's terms.
        deep: how many local names are followed.
    """

    def of(inner: Term) -> Shape:
        return shape(info, inner, position, given, deep)

    match term:
        case Const(value=value):
            return ("const", value.__class__.__name__, value)
        case Name(id=name):
            return _name(info, name, position, given, deep)
        case Attr(base=base, name=name):
            return ("attr", of(base), name)
        case Item(base=base, key=key):
            return ("item", of(base), of(key))
        case Call(func=func, args=args, keywords=keywords):
            return ("call", of(func), *(of(a) for a in args), *((k, of(v)) for k, v in keywords))
        case Blend(op=op, parts=parts) | Choice(op=op, parts=parts):
            return (op, *(of(p) for p in parts))
        case Display(kind=kind, values=values):
            return (kind, *(of(v) for v in values))
        case Part(value=value, index=index):
            return ("part", of(value), index)
        case Await(value=value) | Star(value=value):
            return of(value)
        case _:
            return ("unique", term)


def _name(info: FunctionInfo, name: str, position: int, given: Mapping[str, Shape] | None, deep: int) -> Shape:
    function = info.function
    if name not in function.bound or name in function.globals or name in function.nonlocals:
        return ("free", name)
    binds, initial = info.reaching(name, position)
    if not binds:
        if given is not None and name in given:
            return given[name]
        return ("param", function.index, info.module.path, name)
    if len(binds) == 1 and not initial and deep > 0:
        value = function.ops[binds[0]].value  # type: ignore[union-attr]
        if isinstance(value, (Name, Attr, Blend, Const, Item, Display)) or (
            isinstance(value, Call) and _is_pure(value)
        ):
            return shape(info, value, binds[0], given, deep - 1)
    return ("local", function.index, info.module.path, name, binds)


def _is_pure(call: Call) -> bool:
    """Conversions: `str(x)`, `x.lower()`; a call that makes something is not the same twice."""
    match call.func:
        case Name(id=name) | Attr(name=name):
            return name in _CONVERSIONS
        case _:
            return False


def arguments(
    info: FunctionInfo,
    call: Call,
    position: int,
    callee: FunctionInfo,
    bound: bool,
    outer: Mapping[str, Shape] | None = None,
) -> dict[str, Shape]:
    """The shapes of a call's arguments by the callee's parameters, in the terms of the caller or of `outer`'s caller.

    `bound` says that the callee is called on a receiver, its first parameter.
    """
    params = [p for p in callee.function.params if p.kind in (ParamKind.POSITIONAL, ParamKind.POSITIONAL_ONLY)]
    given: dict[str, Shape] = {}
    if bound and params:
        base = call.func.base if isinstance(call.func, Attr) else call.func
        given[params.pop(0).name] = shape(info, base, position, outer)
    for param, arg in zip(params, call.args, strict=False):
        if isinstance(arg, Star):
            break
        given[param.name] = shape(info, arg, position, outer)
    for name, value in call.keywords:
        if name is not None:
            given[name] = shape(info, value, position, outer)
    return given


def calls_in(nodes: Iterable[Term | Op]) -> Iterable[Call]:
    """All calls in terms and operations."""
    stack = list(nodes)
    while stack:
        node = stack.pop()
        if node.__class__ is Attr:
            stack.append(node.base)
        elif node.__class__ not in LEAVES:
            if node.__class__ is Call:
                yield node
            stack += inside(node)


def said_in(annotation: Term | None) -> set[str]:
    """The names that an annotation consists of; of a dotted one the last."""
    if isinstance(annotation, (Name, Attr)):
        return {annotation.id if isinstance(annotation, Name) else annotation.name}
    return set().union(*map(said_in, inside(annotation))) if annotation is not None else set()
