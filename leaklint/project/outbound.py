"""Calls to other programs that leave out an id which is at hand and which calls beside them send, as suspects.

Beside a call are those over the same client object of the same class or module. An id that takes part in the call in
any way (in the address, in the body) is sent.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import NamedTuple

from leaklint.index.summary import Attr, Call, Const, Display, Kind, Name, Term
from leaklint.project import evaluate
from leaklint.project.idnames import id_concept, same_id
from leaklint.project.overrides import Ids, reached
from leaklint.project.program import FunctionInfo
from leaklint.project.propagation import TRAVELLING, in_scope
from leaklint.project.routes import Routes
from leaklint.project.spots import Spot, conditions, origins
from leaklint.project.state import Frame, State
from leaklint.project.suspect import PropagationSuspect
from leaklint.project.values import Instance

_TASK = "kwargs"  # the keyword under which queues take the arguments of a task
_CUSTOM = 4  # tasks of a program that carry an id before it is the custom to
_SHARE = 0.6  # of all its tasks
_FIRST = ("request", "trace", "session", "tenant", "model", "id")  # which of several is told


class Outbound(NamedTuple):
    """One call that leaves the program."""

    frame: Frame
    spot: Spot
    call: Call
    fqn: str  # the library function
    carrier: str  # the keyword that takes headers or metadata, or the arguments of a task
    sent: frozenset[str]  # names of ids in what it carries


def ids_not_sent(known: Ids, ways: Routes) -> Iterator[PropagationSuspect]:
    """Outbound calls in request code that drop an id, one suspect a call."""
    groups: dict[object, list[Outbound]] = defaultdict(list)
    tasks: dict[str, list[Outbound]] = defaultdict(list)
    leaving = known.found.names(lambda model: bool(model.outbound))
    for info, frame in reached(known.found, ways).items():
        for one in _outbound(known, info, frame) if not leaving.isdisjoint(known.found.asks[info]) else ():
            if one.carrier == _TASK:
                tasks[one.fqn].append(one)
            elif (group := client(info, one.call)) is not None and not _is_instrumented(known.found.state, one):
                groups[group].append(one)
    for calls in groups.values():
        for one in calls:
            missing = [
                m for other in calls if other.frame.info is not one.frame.info for m in _missing(known, one, other)
            ]
            if missing:
                yield _suspect(known, ways, one, *min(missing, key=lambda m: (_FIRST.index(m[0]), m[1].spot.span)))
    for calls in tasks.values():
        yield from _against_custom(known, ways, calls)


def _outbound(known: Ids, info: FunctionInfo, frame: Frame) -> Iterator[Outbound]:
    seen: set[int] = set()
    for spot in known.found.calls(info):
        assert isinstance(spot.term, Call)
        if spot.term.order in seen:
            continue
        seen.add(spot.term.order)
        for made in known.found.made(info, spot.term):
            for fqn in made.external:
                model = known.found.state.models.call(fqn)
                if model is not None and model.outbound:
                    carrier = _TASK if any(k == _TASK for k, _ in spot.term.keywords) else model.outbound
                    sent = _sent(known, info, spot, spot.term, carrier)
                    yield Outbound(frame, spot, spot.term, fqn, carrier, sent)
                    break
            else:
                continue
            break


def client(info: FunctionInfo, call: Call) -> object | None:
    """What tells clients apart: the class and attribute, or the module and name, that a call goes through."""
    match call.func:
        case Attr(base=Attr(base=Name(id="self"), name=attribute)) if info.owner is not None:
            return info.owner.qualname, attribute
        case Attr(base=Name(id=name)) if name not in info.function.bound and info.module.functions[0].binds().get(name):
            bound = info.module.functions[0].function.ops[info.module.functions[0].binds()[name][0]]
            return None if bound.how.name == "IMPORT" else (info.module.name, name)  # type: ignore[union-attr]
        case _:
            return None


def _is_instrumented(s: State, one: Outbound) -> bool:
    """Whether the client adds ids by itself: hooks or headers it was made with."""
    assert isinstance(one.call.func, Attr)
    for atom in evaluate.evaluate(s, one.frame, one.call.func.base, one.spot.position):
        if isinstance(atom, Instance):
            made_with = s.born.get(atom, {})
            if "(event_hooks)" in made_with or "(auth)" in made_with:
                return True
    return False


# --- what is sent ---------------------------------------------------------------------------------------------------


def _sent(known: Ids, info: FunctionInfo, spot: Spot, call: Call, carrier: str) -> frozenset[str]:
    """Names of ids in what carries them: headers, metadata."""
    s, found = known.found.state, set[str]()
    for keyword, term in call.keywords:
        for frame in known.found.frames[info] if keyword == carrier else ():
            value = evaluate.evaluate(s, frame, term, spot.position)
            fields = {field for atom in value if isinstance(atom, Instance) for field in s.born.get(atom, ())}
            callees = [target for made in frame.made.values() for target in made.targets]
            effects = [effect for at in (frame, *callees) for effect in at.effects if effect.holder in value]
            fields.update(effect.field for effect in effects)
            found.update(f[2:-2] for f in fields if f[:2] in ("['", '["'))
    return frozenset(name for name in found if id_concept(s.models, name) in TRAVELLING)


def _missing(known: Ids, one: Outbound, other: Outbound) -> Iterator[tuple[str, Outbound, str, str]]:
    """Ids that another call sends, and this one has at hand and does not: concept, that call, header, expression."""
    info, position = one.frame.info, one.spot.position
    given: list[Term] = [*one.call.args, *(v for _, v in one.call.keywords)]
    used = {name for term in given for name in origins(info, term, position)}
    for header in sorted(other.sent):
        if any(same_id(header, name) for name in one.sent):
            continue
        for name in _candidates(info, header):
            available = in_scope(known, info, position, name)
            if not available or available.partition(".")[0] in used:
                continue
            if not any(available in origins(info, test, at) for test, at in conditions(info, position)):
                yield id_concept(known.found.state.models, header), other, header, available


def _against_custom(known: Ids, ways: Routes, calls: list[Outbound]) -> Iterator[PropagationSuspect]:
    """Tasks that are queued without an id that they take and most tasks of the program carry."""
    for name in sorted({name for one in calls for name in one.sent}):
        bearers = [one for one in calls if name in one.sent]
        if len(bearers) < _CUSTOM or len(bearers) < _SHARE * len(calls):
            continue
        concept = id_concept(known.found.state.models, name)
        for one in calls:
            if (
                name not in one.sent
                and _task_takes(known.found.state, one.call, name)
                and (available := _at_hand(known, one, name, concept))
            ):
                yield _suspect(known, ways, one, concept, bearers[0], name, available)


def _task_takes(s: State, call: Call, name: str) -> bool:
    """Whether the task that a call names is a function of the program which takes a parameter of this name."""
    if not call.args or not (wanted := _label(call.args[0])):
        return False
    for module in s.program.modules:
        for info in module.functions:
            labels = [
                value for d in info.function.decorators if isinstance(d, Call) for k, value in d.keywords if k == "name"
            ]
            if any(_label(label) == wanted for label in labels):
                return any(p.name == name for p in info.function.params)
    return False


def _label(term: Term) -> str:
    """A task's name as text: a constant, or the last two parts of where it is kept."""
    match term:
        case Const(value=str(text)):
            return text
        case Attr(base=Name(id=owner) | Attr(name=owner), name=name):
            return f"{owner}.{name}"
        case _:
            return ""


def _at_hand(known: Ids, one: Outbound, name: str, concept: str) -> str:
    """An id for a task: one in scope, else what the program's own getter gives; empty if it may be there already."""
    arguments = next(value for keyword, value in one.call.keywords if keyword == _TASK)
    written = isinstance(arguments, Display) and None not in arguments.keys
    if not written and not (isinstance(arguments, Call) and all(keyword for keyword, _ in arguments.keywords)):
        return ""
    info = one.frame.info
    if available := in_scope(known, info, one.spot.position, name):
        return available if available not in origins(info, arguments, one.spot.position) else ""
    here = info.module.functions[0].function.bound
    names = [g.function.name for g, of in known.found.getters.items() if of == concept and g.owner is None]
    usable = sorted((n not in here, n) for n in names if n in here or not n.startswith("_"))
    return f"{usable[0][1]}()" if usable else ""


def _candidates(info: FunctionInfo, header: str) -> list[str]:
    """Names of a function's scope that mean the id of a header."""
    found: list[str] = []
    at: FunctionInfo | None = info
    while at is not None and at.function.kind in (Kind.FUNCTION, Kind.LAMBDA):
        found += [name for name in sorted(at.function.bound) if same_id(name, header)]
        at = at.parent
    return found


def _suspect(
    known: Ids, ways: Routes, one: Outbound, concept: str, other: Outbound, header: str, available: str
) -> PropagationSuspect:
    info, module = one.frame.info, one.frame.info.module
    return PropagationSuspect(
        function=info.qualname,
        span=module.span(one.spot.span),
        statement=module.span(info.function.ops[one.spot.position].span),
        route=ways.route(one.frame),
        concept=concept,
        name=header,
        available=available,
        callee=module.source(getattr(one.call.func, "span", 0)),
        form="outbound",
        example=other.frame.info.module.span(other.spot.span),
        carrier=one.carrier,
    )
