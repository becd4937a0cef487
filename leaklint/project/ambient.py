"""Where a program reads an id from its surroundings: context variables, getters of them, global settings.

Says what is ambient and whether the code around a use asks for an override first. What is wrong with a use is not
known here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache, cached_property, partial

from msgspec import Struct, field

from leaklint.index.summary import Attr, Bind, Blend, Call, Choice, Const, Display, Kind, Name, ParamKind, Return, Term
from leaklint.models import CallModel
from leaklint.project import evaluate
from leaklint.project.idnames import holder_concept, id_concept
from leaklint.project.lifetimes import isolated
from leaklint.project.program import FunctionInfo, Module
from leaklint.project.spots import Spot, around, conditions, names, origins, parts, spots
from leaklint.project.state import Frame, Made, State
from leaklint.project.values import Ambient, Instance, Phase

_LOG_METHODS = frozenset(
    ("debug", "info", "warning", "warn", "error", "exception", "critical", "log", "trace", "success", "bind")
)


class AmbientUse(Struct, frozen=True, eq=False):
    """An expression whose value is an id of the surroundings."""

    info: FunctionInfo
    spot: Spot
    concept: str
    name: str  # what the code calls the id: "current_session_id"
    kind: str  # "context" or "settings"
    asks: frozenset[str]  # parameters that decide whether it counts, in any way
    stands_for: frozenset[str]  # parameters that its alternatives come from: `opts.get("session_id") or current()`
    by_name: frozenset[str]  # those asked for it alone: `env.get("MAIL_API_KEY") or settings.mail_api_key`


class Survey(Struct, dict=True):
    """What was found out about functions, each looked at once."""

    state: State
    frames: dict[FunctionInfo, list[Frame]] = field(default_factory=dict)
    getters: dict[FunctionInfo, str] = field(default_factory=dict)  # concept they give
    givers: set[FunctionInfo] = field(default_factory=set)  # functions that give what a context variable holds
    runs: dict[FunctionInfo, set[FunctionInfo]] = field(default_factory=dict)  # functions of the program it calls
    asks: dict[FunctionInfo, set[str]] = field(default_factory=dict)  # names of libraries it calls
    _spots: dict[FunctionInfo, tuple[Spot, ...]] = field(default_factory=dict)
    _calls: dict[FunctionInfo, tuple[Spot, ...]] = field(default_factory=dict)
    _made: dict[FunctionInfo, dict[int, list[Made]]] = field(default_factory=dict)
    _values: dict[Module, dict[str, bool]] = field(default_factory=dict)
    _holders: dict[Module, frozenset[str]] = field(default_factory=dict)

    def spots(self, info: FunctionInfo) -> tuple[Spot, ...]:
        """All terms of a function."""
        found = self._spots.get(info)
        if found is None:
            found = self._spots[info] = tuple(spots(info))
        return found

    def calls(self, info: FunctionInfo) -> tuple[Spot, ...]:
        """The terms of a function that are calls."""
        found = self._calls.get(info)
        if found is None:
            found = self._calls[info] = tuple(spot for spot in self.spots(info) if spot.term.__class__ is Call)
        return found

    def made(self, info: FunctionInfo, call: Call) -> list[Made]:
        """What a call runs, in every frame of the function."""
        found = self._made.get(info)
        if found is None:
            found = self._made[info] = {}
            for frame in self.frames.get(info, ()):
                for order, made in frame.made.items():
                    found.setdefault(order, []).append(made)
        return found.get(call.order, [])

    def names(self, wanted: Callable[[CallModel], bool]) -> frozenset[str]:
        """The names of libraries that the program calls and whose model is so."""
        called = set[str]().union(*self.asks.values())
        return frozenset(n for n in called if (model := self.state.models.call(n)) is not None and wanted(model))

    def is_log(self, info: FunctionInfo, call: Call) -> bool:
        """Whether a call only writes log lines."""
        for made in self.made(info, call):
            for fqn in made.external:
                model = self.state.models.call(fqn)
                if model is not None and model.log:
                    return True
        func = call.func
        return (
            isinstance(func, Attr) and func.name in _LOG_METHODS and any("log" in n.lower() for n in dotted(func.base))
        )

    def is_idle(self, info: FunctionInfo, spot: Spot) -> bool:
        """Whether a value is only logged, compared, tested or thrown away."""
        return spot.role in ("test", "eval") or any(
            outer.role == "test" or (isinstance(outer.term, Call) and self.is_log(info, outer.term))
            for outer in around(spot)
        )

    def is_settings(self, module: Module, name: str) -> bool:
        """Whether a module's name is an object made once, at import."""
        known = self._values.setdefault(module, {})
        if name not in known:
            frame = self.state.module_frames.get(module)
            value = (
                ()
                if frame is None
                else evaluate.free(self.state, frame, name, 0, len(module.functions[0].function.ops))
            )
            known[name] = any(isinstance(a, Instance) and a.phase is Phase.SETUP and a.frame is not None for a in value)
        return known[name]

    def reads_context(self, info: FunctionInfo, reading: frozenset[str]) -> bool:
        """Whether a function asks a context variable, itself or by a function that gives what it holds."""
        asked = not reading.isdisjoint(self.asks.get(info, ()))
        return asked or not self.givers.isdisjoint(self.runs.get(info, ()))

    def part_of_context(self, info: FunctionInfo, spot: Spot) -> str:
        """The name of the id that a term reads from the object in a context variable; empty if it reads none."""
        term = spot.term
        if not isinstance(term, Attr) or spot.role == "func" or not id_concept(self.state.models, term.name):
            return ""
        values = (evaluate.evaluate(self.state, frame, term.base, spot.position) for frame in self.frames.get(info, ()))
        return term.name if any(isinstance(atom, Ambient) for value in values for atom in value) else ""

    def holders(self, module: Module) -> frozenset[str]:
        """The names in a module of what each request or thread has of its own: `g`, `threading.local()`."""
        known = self._holders.get(module)
        if known is None:
            known = self._holders[module] = frozenset(self._names_of_holders(module))
        return known

    def _names_of_holders(self, module: Module) -> Iterator[str]:
        if (frame := self.state.module_frames.get(module)) is not None:
            for op, value in zip(frame.info.function.ops, frame.values, strict=True):
                if op.__class__ is Bind and op.target.__class__ is Name and not self._isolated.isdisjoint(value):
                    yield op.target.id

    @cached_property
    def _isolated(self) -> frozenset[Instance]:
        """The objects that each request or thread has of its own."""
        return frozenset([made for made in self.state.instances if isolated(self.state, made)])


def survey(s: State) -> Survey:
    """Look at all solved functions: which give an ambient id."""
    found = Survey(s)
    for frame in s.frames:
        if frame.rounds:
            found.frames.setdefault(frame.info, []).append(frame)
            runs, asks = found.runs.setdefault(frame.info, set()), found.asks.setdefault(frame.info, set())
            for made in frame.made.values():
                runs.update(target.info for target in made.targets)
                asks.update(made.external)
    found.givers.update(info for info, frames in found.frames.items() if any(_gives_ambient(f) for f in frames))
    reading = found.names(lambda model: model.gives == "ambient")
    for info in found.frames:
        if info.function.kind is not Kind.FUNCTION:
            continue
        if info not in found.givers and not any(_gives_held(found, info)) and not _gives_part(found, info, reading):
            continue
        concept = id_concept(s.models, info.function.name) or _concept_of_body(found, info)
        if concept and not _asked_in_returns(info):
            found.getters[info] = concept
    return found


def _gives_ambient(frame: Frame) -> bool:
    return any(isinstance(a, Ambient) for a in frame.returns)


def _gives_held(found: Survey, info: FunctionInfo) -> Iterator[bool]:
    """Whether a function gives back what each request has of its own under the name of an id."""
    for op in info.function.ops:
        if isinstance(op, Return):
            yield bool(_held(found, info, op.value))


def _gives_part(found: Survey, info: FunctionInfo, reading: frozenset[str]) -> bool:
    """Whether a function gives back an id that the object in a context variable has: `current().session_id`."""
    if not found.reads_context(info, reading):
        return False
    ops = info.function.ops
    return any(
        isinstance(ops[spot.position], Return) and found.part_of_context(info, spot) for spot in found.spots(info)
    )


def _held(found: Survey, info: FunctionInfo, term: Term) -> str:
    """The id that a term reads from what each request or thread has of its own: `g.tenant_id`."""
    match term:
        case Attr(base=Name(id=base), name=name):
            pass
        case Call(func=Name(id="getattr"), args=(Name(id=base), Const(value=str(name)), *_)):
            pass
        case _:
            return ""
    if base in info.function.bound or base not in found.holders(info.module):
        return ""
    return name if id_concept(found.state.models, name) else ""


def _concept_of_body(found: Survey, info: FunctionInfo) -> str:
    """The concept of the context variable that a getter reads."""
    for spot in found.spots(info):
        if isinstance(spot.term, Call) and (name := _read_of_context(found, info, spot.term)):
            return holder_concept(found.state.models, name)
        if name := _held(found, info, spot.term) or found.part_of_context(info, spot):
            return id_concept(found.state.models, name)
    return ""


def _asked_in_returns(info: FunctionInfo) -> frozenset[str]:
    """Parameters that what a function returns may come from."""
    params = own_params(info)
    asked: set[str] = set()
    for position, op in enumerate(info.function.ops):
        if isinstance(op, Return):
            asked |= origins(info, op.value, position) & params
    return frozenset(asked)


def own_params(info: FunctionInfo) -> set[str]:
    """Parameters that a caller fills: without the receiver."""
    params = info.function.params
    first = 1 if info.owner is not None and params and params[0].name in ("self", "cls") else 0
    return {p.name for p in params[first:] if p.kind is not ParamKind.VAR_POSITIONAL}


# --- uses -----------------------------------------------------------------------------------------------------------


def ambient_uses(found: Survey) -> dict[FunctionInfo, tuple[AmbientUse, ...]]:
    """The reads of ambient ids in every function and method, log lines and comparisons left out."""
    methods = [info for cls in found.state.bases for info in cls.info.methods.values()]
    reading = found.names(lambda model: model.gives == "ambient")
    naming = cache(partial(_may_name_settings, found.state))
    known: dict[FunctionInfo, tuple[AmbientUse, ...]] = {}
    for info in dict.fromkeys((*found.frames, *methods)):
        calls_one = not found.getters.keys().isdisjoint(found.runs.get(info, ()))
        looks = (
            calls_one or found.reads_context(info, reading) or naming(info.module) or bool(found.holders(info.module))
        )
        known[info] = tuple(_uses(found, info)) if looks else ()
    return known


def _may_name_settings(s: State, module: Module) -> bool:
    return any(id_concept(s.models, name) == "credential" for name in module.summary.words)


def _uses(found: Survey, info: FunctionInfo) -> Iterator[AmbientUse]:
    for spot in found.spots(info):
        known = _ambient(found, info, spot)
        if known is None or found.is_idle(info, spot):
            continue
        concept, name, kind = known
        own = own_params(info)
        instead = [(_says(term, name), origins(info, term, at) & own) for term, at in _alternatives(info, spot)]
        generic = {name for said, params in instead if not said for name in params}
        yield AmbientUse(
            info,
            spot,
            concept,
            name,
            kind,
            frozenset(asks(found, info, spot) & own),
            frozenset().union(*(params for _, params in instead)),
            frozenset().union(*(params for said, params in instead if said)) - generic,
        )


def _ambient(found: Survey, info: FunctionInfo, spot: Spot) -> tuple[str, str, str] | None:
    term, models = spot.term, found.state.models
    if isinstance(term, Call):
        if name := _read_of_context(found, info, term):
            concept = holder_concept(models, name) or id_concept(models, info.function.name)
            return (concept, name, "context") if concept else None
        for made in found.made(info, term):
            for target in made.targets:
                if target.info in found.getters:
                    return found.getters[target.info], target.info.function.name, "context"
    if spot.role != "func" and (name := _held(found, info, term)):
        served = any(frame.entry is not None for frame in found.frames.get(info, ()))
        return None if served else (id_concept(models, name), name, "context")
    if name := found.part_of_context(info, spot):
        return id_concept(models, name), name, "context"
    if isinstance(term, Attr) and isinstance(term.base, Name) and spot.role != "func":
        concept = id_concept(models, term.name)
        if (
            concept == "credential"
            and term.base.id not in info.function.bound
            and found.is_settings(info.module, term.base.id)
        ):
            return concept, term.name, "settings"
    return None


def _read_of_context(found: Survey, info: FunctionInfo, call: Call) -> str:
    """The name of the context variable that a call reads."""
    if not isinstance(call.func, Attr):
        return ""
    for made in found.made(info, call):
        for fqn in made.external:
            model = found.state.models.call(fqn)
            if model is not None and model.gives == "ambient":
                base = call.func.base
                return base.id if isinstance(base, Name) else base.name if isinstance(base, Attr) else ""
    return ""


def _alternatives(info: FunctionInfo, spot: Spot) -> Iterator[tuple[Term, int]]:
    """What may stand in place of an ambient value: other parts, bindings, the parameter it is bound to, returns."""
    inner = spot
    for outer in around(spot):
        if isinstance(outer.term, Choice):
            yield from ((part, outer.position) for part in outer.term.parts if part is not inner.term)
        elif inner.role not in ("part", "same"):
            return
        inner = outer
    op = info.function.ops[spot.position]
    if inner.role == "bind" and isinstance(op, Bind) and isinstance(op.target, Name):
        for position in info.binds()[op.target.id]:
            other = info.function.ops[position]
            if position != spot.position and isinstance(other, Bind):
                yield other.value, position
        if op.target.id in info.param_names:
            yield op.target, spot.position
    if inner.role == "return":
        for position, other in enumerate(info.function.ops):
            if position != spot.position and isinstance(other, Return):
                yield other.value, position


def _says(term: Term, name: str) -> bool:
    """Whether a term holds a name as a text, in whatever case."""
    if isinstance(term, Const):
        return isinstance(term.value, str) and term.value.casefold() == name.casefold()
    return any(_says(inner, name) for _, _, inner in parts(term))


def asks(found: Survey, info: FunctionInfo, spot: Spot) -> set[str]:
    """What decides whether the ambient value counts: asked before it, beside it or handed on with it."""
    position = spot.position
    consulted: set[str] = set()
    for test, at in conditions(info, position):
        consulted |= origins(info, test, at)
    inner, packed = spot, False
    for outer in around(spot):
        packed = packed or isinstance(outer.term, (Display, Blend))
        if not (packed and isinstance(outer.term, Call)):
            consulted |= _beside(info, inner, outer)
        inner = outer
    op = info.function.ops[position]
    if isinstance(op, Bind) and isinstance(op.target, Name):
        consulted |= _of_later_uses(found, info, op.target.id, position)
        if op.target.id in info.param_names:
            consulted.add(op.target.id)
    return consulted


def _beside(info: FunctionInfo, inner: Spot, outer: Spot) -> set[str]:
    """What stands beside a value in a choice, or goes into one call with it."""
    term = outer.term
    beside: list[Term] = []
    if isinstance(term, Choice):
        beside = [p for p in term.parts if p is not inner.term]
        if term.test is not None:
            beside.append(term.test)
    elif isinstance(term, Call) and inner.role in ("arg", "keyword"):
        beside = [a for a in term.args if a is not inner.term]
        beside += [v for _, v in term.keywords if v is not inner.term]
        if isinstance(term.func, Attr):
            beside.append(term.func.base)
    found: set[str] = set()
    for other in beside:
        found |= origins(info, other, outer.position)
    return found


def _of_later_uses(found: Survey, info: FunctionInfo, local: str, position: int) -> set[str]:
    """What an ambient value bound to a name meets in choices where that name is read."""
    consulted: set[str] = set()
    for spot in found.spots(info):
        if not isinstance(spot.term, Name) or spot.term.id != local or spot.position <= position:
            continue
        inner = spot
        for outer in around(spot):
            if isinstance(outer.term, Choice) and position in info.reaching(local, spot.position)[0]:
                consulted |= _beside(info, inner, outer)
            inner = outer
    return consulted


def dotted(term: Term) -> set[str]:
    """All names in a dotted path."""
    found = names(term)
    while isinstance(term, (Attr, Call)):
        if isinstance(term, Attr):
            found.add(term.name)
            term = term.base
        else:
            term = term.func
    return found
