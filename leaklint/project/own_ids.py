"""Ids that an object keeps, sent in methods that were given another one for this call, as suspects.

The override is a parameter of the same name that defaults to None: whoever passes it wants it instead. A method that
asks it in any way, compares the two, sends both or takes the given one over is silent.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from leaklint.index.summary import Attr, Bind, Call, Const, Display, Kind, Name, Param, Term, Test
from leaklint.project.ambient import asks, own_params
from leaklint.project.idnames import id_concept, same_id
from leaklint.project.overrides import Ids, reached
from leaklint.project.program import FunctionInfo
from leaklint.project.routes import Routes
from leaklint.project.sinks import sent_as
from leaklint.project.spots import Spot, around, names, parts
from leaklint.project.suspect import OverrideSuspect


def own_over_override(known: Ids, ways: Routes, told: Collection[tuple[str, str]]) -> Iterator[OverrideSuspect]:
    """One suspect a method and parameter, at the first place that sends the object's own id.

    Args:
        known: what the program does with ids.
        ways: how requests come to functions.
        told: functions by qualified name and concepts of which another finding tells what is wrong.
    """
    for info, frame in reached(known.found, ways).items():
        for param in info.function.params if info.owner is not None and info.function.kind is Kind.FUNCTION else ():
            concept = _override(known, info, param)
            if not concept or (info.qualname, concept) in told:
                continue
            spot = next(_sent(known, info, param.name), None)
            if spot is not None and not _is_minded(known, info, param.name, spot):
                module = info.module
                yield OverrideSuspect(
                    function=info.qualname,
                    span=module.span(spot.span),
                    statement=module.span(info.function.ops[spot.position].span),
                    route=ways.route(frame),
                    concept=concept,
                    override=param.name,
                    ambient=module.source(spot.span),
                    resolver=f"{param.name} or {module.source(spot.span)}",
                    form="ambient",
                    source=module.span(spot.span),
                    kind="own",
                    optional=True,
                )


def _override(known: Ids, info: FunctionInfo, param: Param) -> str:
    """The concept of the id that a parameter names if it is given for this call alone; empty if it is no such."""
    optional = isinstance(param.default, Const) and param.default.value is None
    return id_concept(known.found.state.models, param.name) if optional and param.name in own_params(info) else ""


def _sent(known: Ids, info: FunctionInfo, name: str) -> Iterator[Spot]:
    """Where the object's own id of that name goes into a payload or a call, and nothing asks the parameter."""
    found = known.found
    for spot in found.spots(info):
        if not _is_own(info, spot.term, name) or found.is_idle(info, spot) or name in asks(found, info, spot):
            continue
        beside = any(isinstance(o.term, (Display, Call)) and name in names(o.term) for o in around(spot))
        if not beside and _taken(spot) and same_id(sent_as(found, info, spot, name), name):
            yield spot


def _is_own(info: FunctionInfo, term: Term, name: str) -> bool:
    match term:
        case Attr(base=Name(id=base), name=attribute):
            return base == info.function.params[0].name and same_id(attribute, name)
        case _:
            return False


def _taken(spot: Spot) -> bool:
    return any(at.role in ("arg", "keyword", "entry") for at in (spot, *around(spot)))


def _is_minded(known: Ids, info: FunctionInfo, name: str, sent: Spot) -> bool:
    """Whether the method sees to both ids: it compares them, takes one over, or sends the given one in its turn."""
    for op in info.function.ops:
        if isinstance(op, Bind) and _is_own(info, op.target, name):
            return True
    for spot in known.found.spots(info):
        if isinstance(spot.term, Test) and name in names(spot.term):
            if any(_is_own(info, part, name) for part in _walk(spot.term)):
                return True
        if isinstance(spot.term, Name) and spot.term.id == name and not known.found.is_idle(info, spot):
            if any(_is_alike(one, other) for one in (spot, *around(spot)) for other in (sent, *around(sent))):
                return True
    return False


def _is_alike(one: Spot, other: Spot) -> bool:
    """Whether two places are entries of one name, or arguments of one function."""
    if one.role == other.role == "entry" and one.name:
        return one.name == other.name
    if isinstance(one.term, Call) and isinstance(other.term, Call):
        return bool(_said(one.term.func)) and _said(one.term.func) == _said(other.term.func)
    return False


def _said(term: Term) -> tuple[str, ...]:
    """A dotted name part by part; empty for other terms, which are like none."""
    match term:
        case Name(id=name):
            return (name,)
        case Attr(base=base, name=name) if said := _said(base):
            return (*said, name)
        case _:
            return ()


def _walk(term: Term) -> Iterator[Term]:
    yield term
    for _, _, inner in parts(term):
        yield from _walk(inner)
