"""Whether a test of its type keeps a value away from the code behind it: `if isinstance(tool, SearchTool): tool.x = y`.

A value stands for everything that a name may be; what is written under such a test goes to objects of that type alone.
"""

from __future__ import annotations

from collections.abc import Iterator

from leaklint.index.summary import BlockKind, Call, Choice, Display, Name, Term, Test
from leaklint.project import evaluate
from leaklint.project.calls import mro
from leaklint.project.program import FunctionInfo, ancestors
from leaklint.project.state import Frame, Holder, State
from leaklint.project.values import Atom, ClassValue, External, FunctionValue, Instance, ModuleValue

_OF_ANYTHING = ("builtins.object", "builtins.type", "collections.abc.Callable", "typing.Callable")
_OF_FUNCTIONS = "types."


def is_kept_away(s: State, frame: Frame, name: str, position: int, holder: Holder) -> bool:
    """Whether `ops[position]`, which uses a local name, is never reached while the name stands for `holder`."""
    return any(_excludes(s, frame, classes, position, holder) for classes in _tests(frame.info, name, position))


def _excludes(s: State, frame: Frame, term: Term, position: int, holder: Holder) -> bool:
    """Whether an object is of none of the classes that a term names, and all of these are known."""
    terms = term.values if isinstance(term, Display) else (term,)
    for one in terms:
        classes = evaluate.evaluate(s, frame, one, position)
        if not classes or any(_may_be(s, holder, cls) for cls in classes):
            return False
    return bool(terms)


def _may_be(s: State, holder: Holder, cls: Atom) -> bool:
    if not isinstance(cls, (ClassValue, External)):
        return True
    if isinstance(cls, External) and (cls.fqn in _OF_ANYTHING or cls.fqn.startswith(_OF_FUNCTIONS)):
        return True
    match holder:
        case FunctionValue() | ModuleValue():
            return False
        case Instance() if holder.cls is not None:
            order, externals = mro(s, holder.cls)
            if isinstance(cls, ClassValue):
                return cls in order
            return any(base != "builtins.object" for base in externals)
        case _:
            return True


def _tests(info: FunctionInfo, name: str, position: int) -> Iterator[Term]:
    """The classes of which `name` is one at an operation, as the tests around and before it say."""
    function, op = info.function, info.function.ops[position]
    around = set(ancestors(function.blocks, op.block))
    for index, block in enumerate(function.blocks):
        if block.term is None:
            continue
        if index in around and block.kind in (BlockKind.IF, BlockKind.ELSE):
            holds = block.kind is BlockKind.IF
        elif block.kind is BlockKind.IF and block.exits and block.parent in around and block.end <= op.order:
            holds = False
        else:
            continue
        yield from _asked(block.term, name, holds)


def _asked(test: Term, name: str, holds: bool) -> Iterator[Term]:
    match test:
        case Call(func=Name(id="isinstance"), args=(Name(id=asked), classes)) if asked == name and holds:
            yield classes
        case Test(op="not", parts=(inner,)):
            yield from _asked(inner, name, not holds)
        case Choice(op="and", parts=parts) if holds:
            for part in parts:
                yield from _asked(part, name, True)
        case Choice(op="or", parts=parts) if not holds:
            for part in parts:
                yield from _asked(part, name, False)
