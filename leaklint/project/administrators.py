"""Entry points that only administrators come to, by what their signatures and decorators ask for.

Structure alone: who is an administrator is for the function to say that is asked, and its name says that it does.
"""

from __future__ import annotations

from collections.abc import Iterator

from leaklint.index.summary import Attr, Call, Name, Term
from leaklint.models import Models
from leaklint.project.idnames import plain
from leaklint.project.program import FunctionInfo
from leaklint.project.spots import parts


def asks_for_one(models: Models, info: FunctionInfo) -> bool:
    """Whether an entry point depends on the caller's being an administrator: `Depends(get_admin)`, `@admin_only`."""
    return any(not models.administrators.isdisjoint(plain(name).split("_")) for name in _asked(info))


def _asked(info: FunctionInfo) -> Iterator[str]:
    """The names of what runs before an entry point: its decorators, and what is provided to its parameters."""
    for decorator in info.function.decorators:
        yield from _names(decorator)
    for param in info.function.params:
        for term in (param.default, param.annotation):
            for call in _calls(term) if term is not None else ():
                yield from _names(call)


def _calls(term: Term) -> Iterator[Call]:
    if isinstance(term, Call):
        yield term
        return
    for _, _, inner in parts(term):
        yield from _calls(inner)


def _names(term: Term) -> Iterator[str]:
    match term:
        case Name(id=name) | Attr(name=name):
            yield name
    for _, _, inner in parts(term):
        yield from _names(inner)
