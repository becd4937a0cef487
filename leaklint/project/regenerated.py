"""Fresh ids made where this call already has one of the same name, as suspects.

Child ids (of spans, attempts, new sessions), fallbacks and detached work have good reason for an id of their own, and
are never suspects.
"""

from __future__ import annotations

from collections.abc import Iterator

from leaklint.index.summary import Attr, Bind, Blend, BlockKind, Call, Const, How, Item, Kind, Name
from leaklint.project.ambient import own_params
from leaklint.project.idnames import id_concept, is_of_child, same_id
from leaklint.project.overrides import Ids, reached
from leaklint.project.program import FunctionInfo, ancestors
from leaklint.project.propagation import detaches, field_of_parameter
from leaklint.project.routes import Routes
from leaklint.project.spots import Spot, around, conditions, names
from leaklint.project.state import Frame
from leaklint.project.suspect import PropagationSuspect
from leaklint.project.values import Token

_CONCEPTS = ("request", "trace", "id")


def ids_regenerated(known: Ids, ways: Routes, ignored: set[tuple[FunctionInfo, str]]) -> Iterator[PropagationSuspect]:
    """Fresh ids in request code that take the place of one in scope.

    Args:
        known: what the program does with ids.
        ways: how requests come to functions.
        ignored: parameters that have no effect in their function, which is told as that.
    """
    making = known.found.names(lambda model: model.gives == "fresh-id")
    makers = {info for info, frames in known.found.frames.items() if any(map(_gives_fresh, frames))}
    for info, frame in reached(known.found, ways).items():
        if making.isdisjoint(known.found.asks[info]) and makers.isdisjoint(known.found.runs[info]):
            continue
        for spot in known.found.calls(info) if info.function.kind is Kind.FUNCTION else ():
            assert isinstance(spot.term, Call)
            if not _is_fresh(known, info, spot.term):
                continue
            whole = _whole(spot)
            name = _named(known, info, whole)
            concept = id_concept(known.found.state.models, name)
            if not concept or is_of_child(name):
                continue
            available = _in_scope(known, info, whole, name, concept)
            if available and (info, available) not in ignored and not _has_reason(known, info, whole, available):
                yield _suspect(ways, frame, whole, name, concept, available)


def _is_fresh(known: Ids, info: FunctionInfo, call: Call) -> bool:
    """Whether a call makes an id: a library's generator, or a function of the program that gives nothing else."""
    for made in known.found.made(info, call):
        if any((m := known.found.state.models.call(f)) is not None and m.gives == "fresh-id" for f in made.external):
            return True
        if made.targets and all(map(_gives_fresh, made.targets)):
            return True
    return False


def _gives_fresh(frame: Frame) -> bool:
    return bool(frame.returns) and all(isinstance(a, Token) and a.fresh for a in frame.returns)


def _whole(spot: Spot) -> Spot:
    """The expression that is the id: with conversions and text around what generates it."""
    for outer in around(spot):
        match outer.term:
            case Call(func=Name(id="str" | "repr")) | Attr() | Blend():
                spot = outer
            case Call(func=Attr()) if spot.role == "func":
                spot = outer  # a method of the id: `uuid4().hex.upper()`
            case _:
                return spot
    return spot


def _named(known: Ids, info: FunctionInfo, spot: Spot) -> str:
    """The name that an id is given: of a target, a keyword, a key or a parameter."""
    if spot.role in ("keyword", "entry"):
        return spot.name
    if spot.role == "arg" and spot.outer is not None and isinstance(spot.outer.term, Call):
        return _parameter(known, info, spot.outer.term, spot)
    op = info.function.ops[spot.position]
    if spot.role != "bind" or not isinstance(op, Bind) or op.how is not How.ASSIGN:
        return ""
    match op.target:
        case Name(id=name) | Attr(name=name) | Item(key=Const(value=str(name))):
            return name
        case _:
            return ""


def _parameter(known: Ids, info: FunctionInfo, call: Call, spot: Spot) -> str:
    index = next((i for i, a in enumerate(call.args) if a is spot.term), -1)
    for made in known.found.made(info, call):
        for target in made.targets:
            params = target.info.function.params[1 if target.receiver is not None else 0 :]
            if 0 <= index < len(params):
                return params[index].name
    return ""


def _in_scope(known: Ids, info: FunctionInfo, spot: Spot, name: str, concept: str) -> str:
    """The expression of the id that this call has: a parameter, or a field of one; empty if there is none.

    An id of a session is only meant where its own parameter is overwritten: sessions make sessions.
    """
    op = info.function.ops[spot.position]
    for own in sorted(own_params(info)):
        if not same_id(own, name) or info.reaching(own, spot.position) != ((), True):
            continue
        overwritten = isinstance(op, Bind) and isinstance(op.target, Name) and op.target.id == own
        if concept in _CONCEPTS or (concept == "session" and overwritten):
            return own
    return field_of_parameter(known, info, name) if concept in _CONCEPTS else ""


def _has_reason(known: Ids, info: FunctionInfo, spot: Spot, available: str) -> bool:
    """Whether the id is made for want of one, or for work that goes its own way."""
    root = available.partition(".")[0]
    function = info.function
    if spot.role in ("part", "test") or any(o.role in ("part", "test") for o in around(spot)):
        return True
    block = function.ops[spot.position].block
    if any(function.blocks[b].kind is BlockKind.EXCEPT for b in ancestors(function.blocks, block)):
        return True
    if any(root in names(test) for test, _ in conditions(info, spot.position)):
        return True
    return any(detaches(known, info, outer) for outer in around(spot))


def _suspect(ways: Routes, frame: Frame, spot: Spot, name: str, concept: str, available: str) -> PropagationSuspect:
    info, module = frame.info, frame.info.module
    return PropagationSuspect(
        function=info.qualname,
        span=module.span(spot.span),
        statement=module.span(info.function.ops[spot.position].span),
        route=ways.route(frame),
        concept=concept,
        name=name,
        available=available,
        callee=module.source(spot.span),
        form="fresh",
        example=None,
    )
