"""Functions that are defined only under a condition: where the program is tested, where a module is run as a script.

Structure alone: what the functions do is not known here.
"""

from __future__ import annotations

from collections.abc import Iterator

from leaklint.index.summary import Attr, Bind, BlockKind, ClassRef, Const, FunctionRef, Name, Term, Test
from leaklint.models import Models
from leaklint.project.idnames import plain
from leaklint.project.program import FunctionInfo, ancestors
from leaklint.project.spots import parts


def is_for_tests(models: Models, info: FunctionInfo) -> bool:
    """Whether a function is defined only where a setting says that the program is tested: `if settings.TEST_MODE:`."""
    return any(_asks_for_tests(models, test) for test in _conditions(info))


def is_of_script(info: FunctionInfo) -> bool:
    """Whether a function is defined only where its module is run as a script."""
    return any(
        isinstance(test, Test) and test.op == "Eq" and {"__name__", "__main__"} <= set(map(_plainly, test.parts))
        for test in _conditions(info)
    )


def _plainly(term: Term) -> object:
    return term.id if isinstance(term, Name) else term.value if isinstance(term, Const) else None


def _conditions(info: FunctionInfo) -> Iterator[Term]:
    """The tests of the `if`s that the definitions of a function, and of all around it, stand in."""
    scope: FunctionInfo | None = info
    while scope is not None and scope.parent is not None:
        yield from _around(scope.parent, scope)
        scope = scope.parent


def _around(outer: FunctionInfo, info: FunctionInfo) -> Iterator[Term]:
    function = outer.function
    for op in function.ops:
        if isinstance(op, Bind) and _body(outer, op.value) == info.function.index:
            for block in ancestors(function.blocks, op.block):
                term = function.blocks[block].term
                if function.blocks[block].kind is BlockKind.IF and term is not None:
                    yield term


def _body(outer: FunctionInfo, value: Term) -> int:
    """The function, or body of a class, that a definition makes."""
    match value:
        case FunctionRef(index=index):
            return index
        case ClassRef(index=index):
            return outer.module.classes[index].summary.body
        case _:
            return -1


def _asks_for_tests(models: Models, test: Term) -> bool:
    if any(isinstance(term, Test) and term.op not in ("Eq", "In") for term in _walk(test)):
        return False  # where it is not tested
    words = (word for term in _walk(test) for word in _word(term))
    return any(not models.test_settings.isdisjoint(plain(word).split("_")) for word in words)


def _word(term: Term) -> Iterator[str]:
    match term:
        case Name(id=name) | Attr(name=name) | Const(value=str(name)):
            yield name


def _walk(term: Term) -> Iterator[Term]:
    yield term
    for _, _, inner in parts(term):
        yield from _walk(inner)
