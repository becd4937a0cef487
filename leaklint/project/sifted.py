"""Look-ups whose results a function goes through for the one that it wants: what it compares there is no column.

Structure of one function only: neither what is looked up nor what depends on it is known here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from leaklint.index.summary import Bind, Call, Eval, How, Name, Return, Term
from leaklint.project.program import FunctionInfo
from leaklint.project.spots import names
from leaklint.project.stores import holds


def gives_sifted(info: FunctionInfo, call: Call, made_of: set[str]) -> bool:
    """Whether what a function gives back of the result of a call is what it chose from it.

    Args:
        info: the function.
        call: of it.
        made_of: the local names that are made of what the call gives.
    """
    returned = [op.value for op in info.function.ops if isinstance(op, Return)]
    return is_sifted(info, call, made_of, returned)


def is_sifted(info: FunctionInfo, call: Call, made_of: set[str], terms: Iterable[Term]) -> bool:
    """Whether terms that rest on the result of a call all rest on what was chosen from it."""
    chosen = _chosen(info, call, made_of)
    if not chosen:
        return False
    whole = {name for name in _whole(info, call) if name not in chosen}
    resting = [term for term in terms if names(term) & made_of or holds(term, call)]
    return bool(resting) and not any(names(term) & whole or holds(term, call) for term in resting)


def _chosen(info: FunctionInfo, call: Call, made_of: set[str]) -> set[str]:
    """The names of single results of which something is asked."""
    single = {
        op.target.id
        for op in info.function.ops
        if isinstance(op, Bind) and op.how is How.LOOP and isinstance(op.target, Name)
        if names(op.value) & made_of or holds(op.value, call)
    }
    asked = set().union(*(names(test) for test in _tests(info)))
    return single & asked


def _tests(info: FunctionInfo) -> Iterator[Term]:
    """What is asked by statements and comprehensions."""
    yield from (op.term for op in info.function.ops if isinstance(op, Eval))
    yield from (block.term for block in info.function.blocks if block.term is not None)


def _whole(info: FunctionInfo, call: Call) -> set[str]:
    """The local names of all that a call gives, however many."""
    found: set[str] = set()
    for op in info.function.ops:
        if isinstance(op, Bind) and isinstance(op.target, Name) and op.how is not How.LOOP:
            if holds(op.value, call) or names(op.value) & found:
                found.add(op.target.id)
    return found
