"""Code that runs only where a setting says that there is one of what an id tells apart: `if MULTI_TENANT: raise`.

Structure and names of one function; evaluates nothing.
"""

from __future__ import annotations

from collections.abc import Iterator

from leaklint.index.summary import Attr, BlockKind, Call, Choice, Name, Term, Test
from leaklint.models import Models
from leaklint.project.idnames import plain
from leaklint.project.program import FunctionInfo, ancestors

_ONE = frozenset(("single", "one", "only", "no", "without", "disable", "disabled"))


def is_where_there_is_one(models: Models, info: FunctionInfo, position: int, concept: str) -> bool:
    """Whether an operation runs only where a setting rules out several tenants, users, ... (`concept`)."""
    function = info.function
    op, blocks = function.ops[position], function.blocks
    around = set(ancestors(blocks, op.block))
    for index, block in enumerate(blocks):
        if block.term is None or block.kind not in (BlockKind.IF, BlockKind.ELSE):
            continue
        left = block.exits and block.end <= op.order and block.parent in around and index not in around
        if index in around or left:
            holds = (block.kind is BlockKind.IF) is not left
            if any(_says_one(models, concept, name, on) for name, on in _settings(info, block.term, holds)):
                return True
    return False


def _settings(info: FunctionInfo, test: Term, holds: bool) -> Iterator[tuple[str, bool]]:
    """The settings of the program that are on, or off, where a test holds, or does not."""
    match test:
        case Test(op="not", parts=(inner,)):
            yield from _settings(info, inner, not holds)
        case Choice(op="and" | "or" as op, parts=parts) if holds is (op == "and"):
            for part in parts:
                yield from _settings(info, part, holds)
        case Name(id=name) | Attr(name=name) if _is_of_program(info, test):
            yield name, holds
        case Call(func=Name(id=name) | Attr(name=name) as func, args=(), keywords=()) if _is_of_program(info, func):
            yield name, holds


def _is_of_program(info: FunctionInfo, term: Term) -> bool:
    """Whether a dotted name begins outside of the function, and outside of what encloses it."""
    while isinstance(term, Attr):
        term = term.base
    at: FunctionInfo | None = info
    while isinstance(term, Name) and at is not None and at.parent is not None:
        if term.id in at.locals:
            return False
        at = at.parent
    return isinstance(term, Name)


def _says_one(models: Models, concept: str, name: str, on: bool) -> bool:
    words = plain(name).split("_")
    if not any(models.concept(word) == concept for word in (*words, *(word.removesuffix("s") for word in words))):
        return False
    return on is not _ONE.isdisjoint(words)
