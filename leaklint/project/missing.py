"""Code of a function that runs only where the caller gave no value for a parameter, and calls that give one.

`if tenant_id is None: tenant_id = current()` asks the surroundings only for callers that do not say. Purely structural;
resolves nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Set

from leaklint.index.summary import (
    Block,
    BlockKind,
    Call,
    Choice,
    Const,
    Name,
    ParamKind,
    Range,
    Star,
    Term,
    Test,
    covers,
)
from leaklint.project.origins import children, roots
from leaklint.project.program import FunctionInfo, ancestors
from leaklint.project.state import Frame

_POSITIONAL = (ParamKind.POSITIONAL, ParamKind.POSITIONAL_ONLY)


def wanted(info: FunctionInfo, position: int, span: Range) -> frozenset[str]:
    """The parameters that are all missing where the code at `span`, a part of `ops[position]`, runs."""
    function = info.function
    around = set(ancestors(function.blocks, function.ops[position].block))
    names = {n for b in around for n in _of_block(function.blocks[b])}
    for block in function.blocks:
        if block.kind is BlockKind.IF and block.exits and block.parent in around:
            if block.end <= function.ops[position].order and block.term is not None:
                names.update(_absent(block.term, False))
    for term in roots(function.ops[position]):
        names.update(_of_choices(term, span))
    optional = {p.name for p in function.params if p.default is not None}
    return frozenset(n for n in names & optional if info.reaching(n, position) == ((), True))


def given(caller: Frame, known: Set[str], call: Call, position: int, target: Frame) -> frozenset[str]:
    """The parameters of `target` that a call gives a value; `known` are those that the caller itself was given."""
    params = [p for p in target.info.function.params if p.kind in _POSITIONAL]
    if target.receiver is not None:
        params = params[1:]
    found: set[str] = set()
    for index, term in enumerate(call.args):
        if isinstance(term, Star):
            break
        if index < len(params) and _is_value(caller.info, known, term, position):
            found.add(params[index].name)
    found.update(n for n, term in call.keywords if n and _is_value(caller.info, known, term, position))
    return frozenset(found)


def _is_value(info: FunctionInfo, known: Set[str], term: Term, position: int) -> bool:
    """Whether a term is more than a parameter handed on that may be missing itself."""
    if isinstance(term, Const):
        return term.value is not None
    optional = any(isinstance(term, Name) and p.name == term.id and p.default is not None for p in info.function.params)
    if not optional or not isinstance(term, Name):
        return True
    return term.id in known or not info.reaching(term.id, position)[1]


def _of_block(block: Block) -> Iterator[str]:
    if block.term is not None and block.kind in (BlockKind.IF, BlockKind.ELSE):
        yield from _absent(block.term, block.kind is BlockKind.IF)


def _absent(test: Term, holds: bool) -> Iterable[str]:
    """The names that are missing where a test holds, or does not."""
    match test:
        case Test(op="Is" | "Eq", parts=(Name(id=name), Const(value=None))) if holds:
            yield name
        case Test(op="IsNot" | "NotEq", parts=(Name(id=name), Const(value=None))) if not holds:
            yield name
        case Test(op="Is" | "IsNot" as how, parts=(Name(id=name), Name(id=mark))) if mark.strip("_").isupper():
            if holds is (how == "Is"):  # `x is UNSET`
                yield name
        case Test(op="not", parts=(inner,)):
            yield from _absent(inner, not holds)
        case Choice(op="and", parts=parts) if holds:
            for part in parts:
                yield from _absent(part, True)
        case Name(id=name) if not holds:
            yield name


def _of_choices(term: Term, span: Range) -> Iterator[str]:
    """What is missing where a part of `x or y`, `y if x is None else x` is reached."""
    if own := getattr(term, "span", 0):
        if not covers(own, span):
            return
    match term:
        case Choice(op="or", parts=(Name(id=name), *rest)) if any(_holds(part, span) for part in rest):
            yield name
        case Choice(op="if", test=test, parts=(then, otherwise)) if test is not None:
            if _holds(then, span) or _holds(otherwise, span):
                yield from _absent(test, _holds(then, span))
    for _, child in children(term):
        yield from _of_choices(child, span)


def _holds(term: Term, span: Range) -> bool:
    own = getattr(term, "span", 0)
    return covers(own, span) if own else any(_holds(child, span) for _, child in children(term))
