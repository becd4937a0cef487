"""Calls to other programs that leave out an id which is at hand and which calls beside them send, as suspects.

Beside a call are those over the same client object of the same class or module, those by functions of a library to the
same address, and those by the same function of the program that hands headers on. An id that takes part in the call in
any way (in the address, in the body) is sent; so is everything by a call that hands on headers of the request. Beside
the queueing of a task is each queueing of the same task; what the task itself names is told where ids are passed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator
from typing import NamedTuple

from leaklint.index.summary import Attr, Bind, Blend, Call, Const, Display, Imported, Kind, Name, Term
from leaklint.project import evaluate
from leaklint.project.ambient import own_params
from leaklint.project.bindings import argument, calls, may_pass
from leaklint.project.idnames import id_concept, same_id
from leaklint.project.overrides import Ids, reached
from leaklint.project.program import FunctionInfo
from leaklint.project.propagation import TRAVELLING, in_scope
from leaklint.project.queued import Queued, queued
from leaklint.project.routes import Routes
from leaklint.project.settings_off import is_where_there_is_one
from leaklint.project.spots import Spot, conditions, origins, parts
from leaklint.project.state import ITEMS, Frame, State
from leaklint.project.suspect import TASK_ARGUMENTS, PropagationSuspect
from leaklint.project.values import Instance, Taint

_CUSTOM = 4  # tasks of a program that carry an id before it is the custom to
_SHARE = 0.6  # of all its tasks
_LAW = 0.9  # of all its tasks, where what runs them asks for the id
_DEEP = 2  # local names of local names that are followed
_FIRST = ("request", "trace", "session", "tenant", "model", "id")  # which of several is told


class Outbound(NamedTuple):
    """One call that leaves the program."""

    frame: Frame
    spot: Spot
    call: Call
    fqn: str  # the library function
    carrier: str  # the keyword that takes headers or metadata, or the arguments of a task
    sent: frozenset[str]  # names of ids in what it carries
    helper: FunctionInfo | None = None  # a function of the program that hands on what it is given as `carrier`
    task: FunctionInfo | None = None  # the function of the program that a worker is to run


def ids_not_sent(known: Ids, ways: Routes) -> Iterator[PropagationSuspect]:
    """Outbound calls in request code that drop an id, one suspect a call."""
    groups: dict[object, list[Outbound]] = defaultdict(list)
    tasks: dict[str, list[Outbound]] = defaultdict(list)
    plain: list[Outbound] = []
    leaving = known.found.names(lambda model: bool(model.outbound))
    handing = _handing_on(known, leaving)
    for info, frame in reached(known.found, ways).items():
        own = () if leaving.isdisjoint(known.found.asks[info]) else _outbound(known, info, frame)
        for one in (*own, *_by_helper(known, info, frame, handing)):
            if one.carrier == TASK_ARGUMENTS:
                tasks[one.fqn].append(one)
            if one.carrier == TASK_ARGUMENTS and one.task is None:
                continue
            if _is_handed_on(known, info, one, handing) or _is_instrumented(known.found.state, one):
                continue
            plain.append(one)
            if (group := one.task or one.helper or client(info, one.call)) is not None:
                groups[group].append(one)
    told: set[int] = set()
    for beside in groups.values():
        for one in beside:
            missing = [
                m for other in beside if other.frame.info is not one.frame.info for m in _missing(known, one, other)
            ]
            if missing:
                told.add(id(one))
                yield _suspect(known, ways, one, *min(missing, key=lambda m: (_FIRST.index(m[0]), m[1].spot.span)))
    for one in plain:
        if id(one) not in told:
            yield from _against_configuration(known, ways, one)
    for alike in tasks.values():
        yield from _against_custom(known, ways, alike)


def _outbound(known: Ids, info: FunctionInfo, frame: Frame) -> Iterator[Outbound]:
    seen: set[int] = set()
    tasks = {one.call.order: one for one in queued(known.found, info)}
    for spot in known.found.calls(info):
        assert isinstance(spot.term, Call)
        if spot.term.order in seen:
            continue
        seen.add(spot.term.order)
        for made in known.found.made(info, spot.term):
            for fqn in made.external:
                model = known.found.state.models.call(fqn)
                if model is not None and model.outbound:
                    task = tasks.get(spot.term.order)
                    carrier = (
                        TASK_ARGUMENTS if any(k == TASK_ARGUMENTS for k, _ in spot.term.keywords) else model.outbound
                    )
                    sent = _sent(known, info, spot, spot.term, carrier)
                    if task is not None:
                        carrier = carrier if task.carrier else ""
                        sent |= _sent(known, info, spot, spot.term, model.outbound) | _named(known, task)
                    yield Outbound(frame, spot, spot.term, fqn, carrier, sent, None, task and task.task.info)
                    break
            else:
                continue
            break


def client(info: FunctionInfo, call: Call) -> object | None:
    """What tells clients apart: the class and attribute, the module and name, or the address that a call goes to."""
    func = call.func
    while isinstance(func, Attr) and isinstance(func.base, Attr) and not _is_own(func.base):
        func = func.base  # `client.messages.create` is a call of `client`
    match func:
        case Attr(base=Attr(base=Name(id="self"), name=attribute)) if info.owner is not None:
            return info.owner.qualname, attribute
        case Attr(base=Name(id=name)) | Name(id=name) if name not in info.function.bound:
            module = info.module.functions[0]
            binds = module.binds().get(name)
            bound = module.function.ops[binds[0]] if binds else None
            if not isinstance(bound, Bind):
                return None
            if not isinstance(bound.value, Imported):
                made = isinstance(func, Attr) or isinstance(bound.value, Call)  # not a function of the program
                return (info.module.name, name) if made else None
            if bound.value.name and isinstance(func, Attr):
                return bound.value  # an object that another module made
            address = _address(call.args[0]) if call.args else ""
            return (info.module.name, name, address) if address else None
        case _:
            return None


def _is_own(term: Attr) -> bool:
    return isinstance(term.base, Name) and term.base.id == "self"


def _address(term: Term) -> str:
    """Whom an address belongs to: its host where it is written out, a program, else the name that it begins with."""
    match term:
        case Const(value=str(text)):
            return "/".join(text.split("/")[:3]) if "://" in text else text.partition(" ")[0] if text[:1] != "/" else ""
        case Display(keys=(), values=(first, *_)):
            return _address(first)  # a program with its arguments
        case Blend(parts=(first, *_)):
            return _address(first)
        case Name(id=name) | Attr(name=name):
            return name
        case _:
            return ""


# --- functions of the program that send for others ------------------------------------------------------------------


def _handing_on(known: Ids, leaving: Collection[str]) -> dict[FunctionInfo, str]:
    """Functions that send what they are given as headers, with the parameter that takes them."""
    found: dict[FunctionInfo, str] = {}
    for info, asked in known.found.asks.items():
        for frame in known.found.frames[info][:1] if not asked.isdisjoint(leaving) else ():
            for one in _outbound(known, info, frame):
                for name in _handed_on(info, one):
                    found.setdefault(info, name)
    return found


def _handed_on(info: FunctionInfo, one: Outbound) -> Iterator[str]:
    """Parameters for headers that go into what a call carries."""
    for keyword, term in one.call.keywords:
        if keyword == one.carrier:
            taken = origins(info, term, one.spot.position) & own_params(info)
            yield from sorted(name for name in taken if one.carrier.rstrip("s") in name.lower())


def _by_helper(known: Ids, info: FunctionInfo, frame: Frame, handing: dict[FunctionInfo, str]) -> Iterator[Outbound]:
    if handing.keys().isdisjoint(known.found.runs.get(info, ())):
        return
    for spot, call, run in calls(known.found, info):
        helper = run[0].info
        if len({target.info for target in run}) == 1 and helper in handing:
            given = argument(call, run[0], handing[helper])
            sent = _names_sent(known, info, spot, [given] if given is not None else [])
            if given is not None or not may_pass(call, run[0], handing[helper]):
                yield Outbound(frame, spot, call, helper.qualname, handing[helper], sent, helper)


def _is_handed_on(known: Ids, info: FunctionInfo, one: Outbound, handing: dict[FunctionInfo, str]) -> bool:
    """Whether a call carries headers that its function was given, or those of the request."""
    if info in handing and any(True for _ in _handed_on(info, one)):
        return True
    s = known.found.state
    for keyword, term in one.call.keywords:
        value = evaluate.evaluate(s, one.frame, term, one.spot.position) if keyword == one.carrier else ()
        for atom in value:
            kind = s.models.type(atom.fqn) if isinstance(atom, Instance) and atom.fqn else None
            items = s.heap.get(atom, {}).get(ITEMS, ()) if isinstance(atom, Instance) else ()
            if isinstance(atom, Taint) or any(isinstance(a, Taint) for a in items):
                return True
            if kind is not None and kind.holds == "request":
                return True
    return False


def _is_instrumented(s: State, one: Outbound) -> bool:
    """Whether the client adds ids by itself: hooks or headers it was made with."""
    if not isinstance(one.call.func, Attr):
        return False
    for atom in evaluate.evaluate(s, one.frame, one.call.func.base, one.spot.position):
        if isinstance(atom, Instance):
            made_with = s.born.get(atom, {})
            if "(event_hooks)" in made_with or "(auth)" in made_with:
                return True
    return False


# --- what is sent ---------------------------------------------------------------------------------------------------


def _sent(known: Ids, info: FunctionInfo, spot: Spot, call: Call, carrier: str) -> frozenset[str]:
    """Names of ids in what carries them: headers, metadata."""
    return _names_sent(known, info, spot, [term for keyword, term in call.keywords if keyword == carrier])


def _names_sent(known: Ids, info: FunctionInfo, spot: Spot, carried: list[Term]) -> frozenset[str]:
    s, found = known.found.state, set[str]()
    for term in carried:
        found.update(_of_pairs(info, term, spot.position))
        for frame in known.found.frames[info]:
            value = evaluate.evaluate(s, frame, term, spot.position)
            fields = {field for atom in value if isinstance(atom, Instance) for field in s.born.get(atom, ())}
            callees = [target for made in frame.made.values() for target in made.targets]
            effects = [effect for at in (frame, *callees) for effect in at.effects if effect.holder in value]
            fields.update(effect.field for effect in effects)
            found.update(f[2:-2] for f in fields if f[:2] in ("['", '["'))
    return frozenset(name for name in found if id_concept(s.models, name) in TRAVELLING)


def _of_pairs(info: FunctionInfo, term: Term, position: int) -> Iterator[str]:
    """The names in a list of pairs, `[("x-request-id", request_id)]`, written here or just before."""
    if isinstance(term, Name):
        bound = info.reaching(term.id, position)[0] if term.id in info.function.bound else ()
        terms = [op.value for op in (info.function.ops[b] for b in bound) if isinstance(op, Bind)]
    else:
        terms = [term]
    for written in terms:
        for pair in written.values if isinstance(written, Display) and not written.keys else ():
            match pair:
                case Display(values=(Const(value=str(name)), _)):
                    yield name


def _named(known: Ids, task: Queued) -> frozenset[str]:
    """Names of ids that a task is given."""
    names = (name for name, _ in task.call.keywords if name)
    return frozenset(name for name in names if id_concept(known.found.state.models, name) in TRAVELLING)


def _missing(known: Ids, one: Outbound, other: Outbound) -> Iterator[tuple[str, Outbound, str, str]]:
    """Ids that another call sends, and this one has at hand and does not: concept, that call, header, expression."""
    info, position = one.frame.info, one.spot.position
    given: list[Term] = [*one.call.args, *(v for _, v in one.call.keywords)]
    used = {name for term in given for name in origins(info, term, position)}
    said = {name for term in given for name in _said(info, term, position)}
    for header in sorted(other.sent):
        takes = {p.name for p in one.task.function.params} if one.task is not None else set()
        if any(same_id(header, name) for name in (*one.sent, *takes, *said)) or _is_for_one(known, one, header):
            continue
        for name in _candidates(info, header):
            available = in_scope(known, info, position, name)
            if not available or available.partition(".")[0] in used:
                continue
            if not any(available in origins(info, test, at) for test, at in conditions(info, position)):
                yield id_concept(known.found.state.models, header), other, header, available


def _against_configuration(known: Ids, ways: Routes, one: Outbound) -> Iterator[PropagationSuspect]:
    """What a call leaves out of the ids that the configuration wants in each."""
    wanted = one._replace(sent=frozenset(known.found.state.models.sent))
    for concept, _, header, available in list(_missing(known, one, wanted))[:1]:
        yield _suspect(known, ways, one, concept, None, header, available)


def _said(info: FunctionInfo, term: Term, position: int, depth: int = 0) -> Iterator[str]:
    """The names of entries, arguments and attributes in a term, and in what its local names were bound to."""
    match term:
        case Attr(name=name):
            yield name
        case Name(id=name) if depth < _DEEP and name in info.function.bound:
            for bind in info.reaching(name, position)[0]:
                yield from _said(info, info.function.ops[bind].value, bind, depth + 1)  # type: ignore[union-attr]
    for role, name, inner in parts(term):
        if role in ("entry", "keyword"):
            yield name
        yield from _said(info, inner, position, depth)


def _against_custom(known: Ids, ways: Routes, calls: list[Outbound]) -> Iterator[PropagationSuspect]:
    """Tasks that are queued without an id that they take and most tasks of the program carry."""
    for name in sorted({name for one in calls for name in one.sent}):
        bearers = [one for one in calls if name in one.sent]
        if len(bearers) < _CUSTOM or len(bearers) < _SHARE * len(calls):
            continue
        concept = id_concept(known.found.state.models, name)
        law = len(bearers) >= _LAW * len(calls) and _is_asked_for(known, name)
        for one in calls:
            if (
                name not in one.sent
                and (one.task is None or name not in one.task.param_names)
                and not _is_for_one(known, one, name)
                and (law or _task_takes(known.found.state, one.call, name))
                and (available := _at_hand(known, one, name, concept))
            ):
                yield _suspect(known, ways, one, concept, bearers[0], name, available)


def _is_for_one(known: Ids, one: Outbound, name: str) -> bool:
    """Whether the call is made only where there is one of what an id tells apart."""
    models = known.found.state.models
    return is_where_there_is_one(models, one.frame.info, one.spot.position, id_concept(models, name))


def _is_asked_for(known: Ids, name: str) -> bool:
    """Whether code that sees the arguments of every task looks for the id among them: `kwargs.get("tenant_id")`."""
    for info in known.found.frames:
        if TASK_ARGUMENTS not in info.param_names:
            continue
        for spot in known.found.calls(info):
            match spot.term:
                case Call(func=Attr(base=Name(id=base)), args=(Const(value=key), *_)) if (
                    base == TASK_ARGUMENTS and key == name
                ):
                    return True
    return False


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
    arguments = next(value for keyword, value in one.call.keywords if keyword == TASK_ARGUMENTS)
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
    known: Ids, ways: Routes, one: Outbound, concept: str, other: Outbound | None, header: str, available: str
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
        example=other.frame.info.module.span(other.spot.span) if other is not None else None,
        carrier=one.carrier,
    )
