"""Uses of ambient ids although this call was given one of its own, as suspects.

An override is a parameter that names the same id, or options that the program's own resolvers of that id ask. Which id
is right is not decided here: a use that asks an override in any way is silent.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from msgspec import Struct, field

from leaklint.index.summary import (
    Attr,
    Bind,
    Call,
    Const,
    Display,
    How,
    Item,
    Kind,
    Name,
    Param,
    ParamKind,
    Return,
    Test,
)
from leaklint.project.agreeing import is_handed_the_same
from leaklint.project.ambient import AmbientUse, Survey, ambient_uses, own_params
from leaklint.project.idnames import id_concept, same_id
from leaklint.project.lifetimes import isolated
from leaklint.project.program import FunctionInfo
from leaklint.project.relatives import relatives, route
from leaklint.project.routes import Routes
from leaklint.project.sinks import keys_with, sent_as
from leaklint.project.spots import Spot, around, conditions, names, origins
from leaklint.project.state import Frame, State
from leaklint.project.suspect import OverrideSuspect, Route
from leaklint.project.values import Ambient, Atom, Instance

_CHAIN = 3  # functions that hand one payload up before it is no longer followed


class Override(Struct, frozen=True):
    """An id of this call that stands beside an ambient one."""

    name: str
    is_options: bool  # the parameter holds the id among other things
    optional: bool


class Carrier(Struct, frozen=True):
    """What puts an ambient id into a payload that a function gives back, or into the key of a look-up."""

    use: AmbientUse
    key: str
    in_payload: bool


class Ids(Struct):
    """What the program does with ambient ids."""

    found: Survey
    uses: dict[FunctionInfo, tuple[AmbientUse, ...]]
    options: dict[tuple[str, str], set[str]] = field(default_factory=lambda: defaultdict(set))  # annotations
    named: dict[tuple[str, str], set[str]] = field(default_factory=lambda: defaultdict(set))  # "" for whatever name
    resolvers: dict[str, list[tuple[FunctionInfo, frozenset[str]]]] = field(default_factory=lambda: defaultdict(list))
    carriers: dict[FunctionInfo, Carrier] = field(default_factory=dict)


def ids(found: Survey) -> Ids:
    """Collect all uses of ambient ids, what is asked before them, and what hands them up."""
    known = Ids(found, ambient_uses(found))
    for info, all_uses in known.uses.items():
        for use in all_uses:
            for name in use.stands_for:
                param = next(p for p in info.function.params if p.name == name)
                if found.state.models.concept(name) in (
                    "",
                    use.concept,
                ):  # a `user` is more than an override of a tenant
                    known.options[use.concept, name].add(_annotation(info, param))
                    known.named[use.concept, name].add(use.name if name in use.by_name else "")
            if use.stands_for and _is_returned(info, use.spot):
                known.resolvers[use.concept].append((info, use.stands_for))
    _find_options_handed_on(known)
    _find_carriers(known)
    return known


def _find_options_handed_on(known: Ids) -> None:
    """Parameters that a function hands to a resolver are options too, whatever it calls them."""
    for concept, resolvers in known.resolvers.items():
        for resolver, asked in resolvers:
            callers = [info for info, runs in known.found.runs.items() if resolver in runs and info is not resolver]
            for info in callers:
                for spot in known.found.calls(info):
                    for name in _handed_to(known, info, spot, resolver, asked):
                        if known.found.state.models.concept(name) not in ("", concept):
                            continue
                        param = next(p for p in info.function.params if p.name == name)
                        known.options[concept, name].add(_annotation(info, param))
                        known.named[concept, name].add("")


def _handed_to(
    known: Ids, info: FunctionInfo, spot: Spot, resolver: FunctionInfo, asked: frozenset[str]
) -> frozenset[str]:
    """The parameters of a function that come to a resolver as what it asks."""
    assert isinstance(spot.term, Call)
    targets = [t for made in known.found.made(info, spot.term) for t in made.targets if t.info is resolver]
    if not targets:
        return frozenset()
    params = resolver.function.params[targets[0].receiver is not None :]
    given = [(p.name, value) for p, value in zip(params, spot.term.args, strict=False)]
    given += [(key, value) for key, value in spot.term.keywords if key]
    found = (origins(info, value, spot.position) for name, value in given if name in asked)
    return frozenset().union(*found) & own_params(info)


def _is_returned(info: FunctionInfo, spot: Spot) -> bool:
    """Whether a value is what a function gives back, not only a part of that."""
    return all(at.role in ("part", "same", "return") for at in (spot, *around(spot))) and isinstance(
        info.function.ops[spot.position], Return
    )


def reached(found: Survey, ways: Routes) -> dict[FunctionInfo, Frame]:
    """Functions that requests come to, each with the frame nearest to an entry."""
    return {info: frames[0] for info, frames in ways.frames_of.items() if info in found.frames}


def ambient_over_override(known: Ids, ways: Routes) -> Iterator[OverrideSuspect]:
    """Ambient ids used in functions that have an override in scope, or in payloads their callees build."""
    nearest = reached(known.found, ways)
    for info, frame in {**relatives(known.found.state, nearest), **nearest}.items():
        for use in known.uses[info]:
            override = _overridden(known, use)
            if override is not None:
                same = is_handed_the_same(known.found, ways, info, override.name, use)
                yield _suspect(known, route(ways, frame, info), use.spot, use, override, info, None, same)
        for spot in known.found.calls(info) if _calls_carrier(known, info) else ():
            carrier = _carried(known, info, spot)
            override = _built_over(known, info, spot, carrier) if carrier is not None else None
            if carrier is not None and override is not None:
                same = is_handed_the_same(known.found, ways, info, override.name, carrier.use)
                yield _suspect(known, route(ways, frame, info), spot, carrier.use, override, info, carrier, same)


# --- overrides in scope ---------------------------------------------------------------------------------------------


def overrides(known: Ids, info: FunctionInfo, concept: str) -> tuple[Override, ...]:
    """Ids of a concept that a function was given for this call, its enclosing functions' included."""
    scope: list[Override] = []
    at: FunctionInfo | None = info
    while at is not None and at.function.kind in (Kind.FUNCTION, Kind.LAMBDA):
        own = own_params(at)
        scope += [o for p in at.function.params if p.name in own and (o := _given(known, at, p, concept))]
        at = at.parent
    return tuple(scope)


def _given(known: Ids, info: FunctionInfo, param: Param, concept: str) -> Override | None:
    optional = isinstance(param.default, Const) and param.default.value is None
    if id_concept(known.found.state.models, param.name) == concept:
        if concept == "user" and not optional:
            return None  # whom an action concerns, not who acts
        return Override(param.name, False, optional)
    said, kinds = _annotation(info, param), known.options.get((concept, param.name), ())
    if kinds and (said in kinds or not said or "" in kinds):
        return Override(param.name, True, optional)
    return None


def _annotation(info: FunctionInfo, param: Param) -> str:
    """An annotation's text without `None`; empty when there is none."""
    span = getattr(param.annotation, "span", 0)
    text = info.module.source(span) if span else ""
    if text.startswith("Optional[") and text.endswith("]"):
        text = text.removeprefix("Optional[")[:-1]
    parts = sorted(part.strip() for part in text.split("|"))
    return "|".join(part for part in parts if part not in ("", "None"))


# --- direct uses ----------------------------------------------------------------------------------------------------


def _overridden(known: Ids, use: AmbientUse) -> Override | None:
    """The override that an ambient use passes over; `None` when it asks one, or sends another id."""
    info, found = use.info, known.found
    if info in found.getters:
        return None
    scope = overrides(known, info, use.concept)
    if not scope or any(o.name in use.asks for o in scope) or _made_equal(known, info, use.name, scope):
        return None
    name = sent_as(found, info, use.spot, use.name)
    if id_concept(found.state.models, name) != use.concept:
        return None
    for override in scope:
        if override.is_options and _is_asked_for(known, override, use):
            return override
        if use.kind == "context" and same_id(name, override.name) and not _beside(use.spot, override.name):
            return override
    return None


def _is_asked_for(known: Ids, override: Override, use: AmbientUse) -> bool:
    """Whether such options are asked for this id: the key to one service, under its name, says nothing of others."""
    return not known.named[use.concept, override.name].isdisjoint(("", use.name))


def _beside(spot: Spot, override: str) -> bool:
    """Whether the payload or call that takes the ambient id takes the override too, as another id."""
    return any(isinstance(o.term, (Display, Call)) and override in names(o.term) for o in around(spot))


def _made_equal(known: Ids, info: FunctionInfo, name: str, scope: tuple[Override, ...]) -> bool:
    """Whether the function compares the ambient id with an override, or makes the override the ambient one."""
    found = known.found
    overridden = {o.name for o in scope}
    for position, op in enumerate(info.function.ops):
        if isinstance(op, Bind) and isinstance(op.target, Attr) and op.target.name == name:
            if origins(info, op.value, position) & overridden:
                return True
    for spot in found.spots(info):
        if isinstance(spot.term, Test):
            compared = origins(info, spot.term, spot.position)
            if name in compared and compared & overridden:
                return True
        if isinstance(spot.term, Call) and any(_sets_context(found, info, spot.term)):
            given = (*spot.term.args, *(v for _, v in spot.term.keywords))
            if any(origins(info, g, spot.position) & overridden for g in given):
                return True
    return False


def _sets_context(found: Survey, info: FunctionInfo, call: Call) -> Iterator[bool]:
    for made in found.made(info, call):
        for fqn in made.external:
            model = found.state.models.call(fqn)
            yield model is not None and model.sets == "(value)"
        for target in made.targets:
            yield any(e.field == "(value)" or _is_own(found.state, e.holder) for e in target.effects)


def _is_own(s: State, holder: Atom | Frame) -> bool:
    """Whether each request or thread has a holder of its own."""
    return isinstance(holder, Atom) and isolated(s, holder)


# --- payloads that a callee builds ----------------------------------------------------------------------------------


def _find_carriers(known: Ids) -> None:
    """Functions without an override in scope that put an ambient id into a payload or a key."""
    for info, all_uses in known.uses.items():
        for use in all_uses:
            if use.asks or info in known.found.getters or overrides(known, info, use.concept):
                continue
            if use.spot.role == "entry" and _gives_any_back(known, info, use.spot.name):
                known.carriers[info] = Carrier(use, use.spot.name, True)
            elif name := _keyed_by(known, info, use):
                known.carriers.setdefault(info, Carrier(use, name, False))
    for _ in range(_CHAIN):
        for info in known.uses:
            for spot in known.found.calls(info) if info not in known.carriers and _calls_carrier(known, info) else ():
                carrier = _carried(known, info, spot)
                if carrier is None or not carrier.in_payload or overrides(known, info, carrier.use.concept):
                    continue
                if _gives_any_back(known, info, carrier.key):
                    known.carriers[info] = carrier


def _keyed_by(known: Ids, info: FunctionInfo, use: AmbientUse) -> str:
    """The name of an ambient id that is the key of something which outlives the call; empty if it is none."""
    name = sent_as(known.found, info, use.spot, use.name)
    if use.kind != "context" or id_concept(known.found.state.models, name) != use.concept:
        return ""
    return name if keys_with(known.found, info, use.spot) else ""


def _gives_any_back(known: Ids, info: FunctionInfo, key: str) -> bool:
    return any(_gives_back(known.found.state, frame, key) for frame in known.found.frames.get(info, ()))


def _gives_back(s: State, frame: Frame, key: str) -> bool:
    """Whether the result of a frame is a mapping with an ambient id under a key."""
    for atom in frame.returns:
        if not isinstance(atom, Instance) or atom.cls is not None or atom not in s.heap:
            continue
        if any(isinstance(a, Ambient) for a in s.heap[atom].get(f"[{key!r}]", ())):
            return True
    return False


def _calls_carrier(known: Ids, info: FunctionInfo) -> bool:
    return not known.carriers.keys().isdisjoint(known.found.runs.get(info, ()))


def _carried(known: Ids, info: FunctionInfo, spot: Spot) -> Carrier | None:
    if not isinstance(spot.term, Call):
        return None
    for made in known.found.made(info, spot.term):
        for target in made.targets:
            if target.info in known.carriers and target.info is not info:
                return known.carriers[target.info]
    return None


def _built_over(known: Ids, info: FunctionInfo, spot: Spot, carrier: Carrier) -> Override | None:
    """The override that a call of a payload's builder leaves out of the payload."""
    call, concept = spot.term, carrier.use.concept
    assert isinstance(call, Call)
    scope = (*overrides(known, info, concept), *_local(known, info, spot, concept))
    overridden = {o.name for o in scope}
    if not scope or _made_equal(known, info, carrier.use.name, scope) or known.found.is_idle(info, spot):
        return None
    given = (*call.args, *(v for _, v in call.keywords))
    if any(origins(info, g, spot.position) & overridden for g in given):
        return None
    if any(origins(info, test, at) & overridden for test, at in conditions(info, spot.position)):
        return None
    if _replaced(known, info, spot, carrier.key):
        return None
    return next((o for o in scope if o.is_options or same_id(carrier.key, o.name)), None)


def _local(known: Ids, info: FunctionInfo, spot: Spot, concept: str) -> list[Override]:
    """Local names that hold an id which was read from what the function was given."""
    found: list[Override] = []
    for name in info.binds():
        binds, initial = info.reaching(name, spot.position)
        if initial or not binds or id_concept(known.found.state.models, name) != concept:
            continue
        values = [(b, op.value) for b in binds if isinstance(op := info.function.ops[b], Bind)]
        ambient = {use.spot.position for use in known.uses[info]}
        if all(b not in ambient and origins(info, v, b) & own_params(info) for b, v in values):
            found.append(Override(name, False, False))
    return found


def _replaced(known: Ids, info: FunctionInfo, spot: Spot, key: str) -> bool:
    """Whether the id in the payload is set anew: `{**base(), "session_id": x}`, `payload["session_id"] = x`."""
    inner = spot
    for outer in around(spot):
        keys = outer.term.keys if isinstance(outer.term, Display) else ()
        if any(isinstance(k, Const) and k.value == key for k in keys):
            return True
        inner = outer
    op = info.function.ops[spot.position]
    if inner.role != "bind" or not isinstance(op, Bind) or not isinstance(op.target, Name):
        return False
    local = op.target.id
    for later in info.function.ops[spot.position + 1 :]:
        match later:
            case Bind(target=Item(base=Name(id=base), key=Const(value=written)), how=How.ASSIGN):
                if base == local and written == key:
                    return True
    return any(
        isinstance(later.term, Call)
        and getattr(later.term.func, "name", "") == "update"
        and local in names(later.term.func)
        for later in known.found.spots(info)
    )


# --- suspects -------------------------------------------------------------------------------------------------------


def _suspect(
    known: Ids,
    way: Route | None,
    spot: Spot,
    use: AmbientUse,
    override: Override,
    info: FunctionInfo,
    carrier: Carrier | None,
    same: bool,
) -> OverrideSuspect:
    module, source = info.module, use.info.module
    ambient = source.source(use.spot.span)
    return OverrideSuspect(
        function=info.qualname,
        span=module.span(spot.span),
        statement=module.span(info.function.ops[spot.position].span),
        route=way,
        concept=use.concept,
        override=override.name,
        ambient=ambient,
        resolver=_instead(known, info, use.concept, override, ambient) if carrier is None or carrier.in_payload else "",
        form="ambient" if carrier is None else "built" if carrier.in_payload else "keyed",
        key=carrier.key if carrier is not None else "",
        source=source.span(use.spot.span),
        callee=use.info.qualname if carrier is not None else "",
        kind=use.kind,
        optional=override.optional,
        same=same,
    )


def _instead(known: Ids, info: FunctionInfo, concept: str, override: Override, ambient: str) -> str:
    """The expression to use for the ambient one: the parameter, or a call of the program's own resolver."""
    calls = [c for r, _ in known.resolvers.get(concept, ()) if override.is_options and (c := _call_of(info, r))]
    if calls:
        return max(calls, key=len)
    if override.is_options:
        return ""
    return f"{override.name} or {ambient}" if override.optional else override.name


def _call_of(info: FunctionInfo, resolver: FunctionInfo) -> str:
    """A call of a resolver with what `info` has under the names of its parameters; empty when that is not enough."""
    name = resolver.function.name
    if resolver.owner is not None or name not in info.module.functions[0].function.bound or resolver is info:
        return ""
    given: list[str] = []
    for param in resolver.function.params:
        if param.kind in (ParamKind.VAR_POSITIONAL, ParamKind.VAR_KEYWORD):
            continue
        if param.name in info.param_names:
            given.append(
                param.name if len(given) == resolver.function.params.index(param) else f"{param.name}={param.name}"
            )
        elif param.default is None:
            return ""
    return f"{name}({', '.join(given)})"
