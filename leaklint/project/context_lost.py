"""Calls that run code where the caller's context does not follow, although that code reads what the context holds.

Threads, pools, other processes and consumers of queues. Code that is handed the context, or sets the variable itself
from what it is given, loses nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Set
from functools import cache, partial
from typing import NamedTuple, TypeAlias

from msgspec import Struct

from leaklint.index.summary import Call, Eval, Range, Term
from leaklint.models import CallModel
from leaklint.project.calls import mro
from leaklint.project.context import Touch, entries_of, is_task, name_of, touches
from leaklint.project.idnames import holder_concept, plain
from leaklint.project.lifetimes import Lifetimes
from leaklint.project.missing import given, wanted
from leaklint.project.program import FunctionInfo
from leaklint.project.routes import Routes
from leaklint.project.state import Effect, Frame, Made, State
from leaklint.project.suspect import Access, Aside, ContextLostSuspect, Hop
from leaklint.project.values import Instance, Phase

_EACH = "each"  # of `packed`: the function is called once for each element
Touches: TypeAlias = Mapping[Frame, tuple[Touch, ...]]
Wants: TypeAlias = Callable[[FunctionInfo, int, Range], frozenset[str]]
_FIRST = ("tenant", "user", "session", "credential", "request", "trace")  # which of several variables is told


class _Border(Struct, frozen=True):
    """A call that runs functions in a context of their own; `span` of it is the primary location."""

    frame: Frame
    made: Made
    model: CallModel | None  # None for queues
    run: tuple[Frame, ...]


class _Place(NamedTuple):
    """How a frame comes to run behind a border."""

    aside: Aside
    caller: Frame | None  # None for what the border itself runs
    call: Call | None
    given: frozenset[str]  # parameters that every call there gives a value


class _Loss(NamedTuple):
    """One variable that is lost at a border."""

    read: Touch
    setter: Touch
    way: tuple[Hop, ...]  # from what the border runs to the read
    aside: Aside


def contexts_lost(s: State, lives: Lifetimes, ways: Routes, seen: Touches) -> Iterator[ContextLostSuspect]:
    """One suspect a call, with all variables that are lost there; `seen` is what request code does to variables."""
    setters: dict[Instance, list[Touch]] = defaultdict(list)
    for found in seen.values():
        for touch in found:
            if touch.access is Access.STORE:
                setters[touch.variable].append(touch)
    if not setters:
        return
    near = _leading_to_touches(s, setters)
    below_of = cache(partial(_below, s, near, cache(wanted)))
    all_borders = (*_borders(s, ways), *_queues(s, ways))
    borders = [(border, below_of(border.run)) for border in all_borders if not near.isdisjoint(border.run)]
    inside = {frame for _, below in borders for frame in below}
    told: set[tuple[FunctionInfo, int]] = set()
    for border, below in borders:
        key = border.frame.info, border.made.term.span
        if border.frame in inside or key in told:
            continue
        lost = _lost(s, border, below, setters, inside)
        if lost:
            told.add(key)
            yield _suspect(s, lives, ways, border, lost)


# --- where contexts end ---------------------------------------------------------------------------------------------


def _borders(s: State, ways: Routes) -> Iterator[_Border]:
    for frame in ways.before:
        for made in list(frame.made.values()):
            model = _leaves_context(s, made)
            if model is not None and made.targets:
                yield _Border(frame, made, model, made.targets)


def _leaves_context(s: State, made: Made) -> CallModel | None:
    """What a model says of a call that runs a function without the caller's context."""
    models = [m for fqn in made.external if (m := s.models.call(fqn)) is not None]
    if any(m.enters for m in models):
        return None
    for model in models:
        given = any(name == model.context_keyword for name, _ in made.term.keywords if name)
        if model.inherits and _says(s, model.inherits):
            continue
        if model.border in ("thread", "process") and not model.context and not given:
            return model
    return None


def _says(s: State, attribute: str) -> bool:
    """Whether code of the program names an attribute, of whatever it is."""
    return any(module.names(attribute) for module in s.program.modules)


def _queues(s: State, ways: Routes) -> Iterator[_Border]:
    """Calls in request code that put something into a queue which code of the process takes from."""
    consumers: dict[Instance, list[Frame]] = defaultdict(list)
    waiting = {frame.info for frame in ways.before}  # requests that take the answer to their own question
    for frame in s.frames:
        if frame.phase is Phase.SETUP and frame.info not in waiting:
            for effect in frame.effects:
                if effect.access is Access.DELETE and (queue := _queue(s, effect)) is not None:
                    consumers[queue].append(frame)
    for frame in ways.before if consumers else ():
        for effect in frame.effects:
            queue = _queue(s, effect)
            if effect.access is Access.MUTATE and queue in consumers:
                made = next((m for m in frame.made.values() if m.term.span == effect.span), None)
                if made is not None:
                    yield _Border(frame, made, None, tuple(consumers[queue]))


def _queue(s: State, effect: Effect) -> Instance | None:
    holder = effect.holder
    if not isinstance(holder, Instance) or not holder.fqn:
        return None
    kind = s.models.type(holder.fqn)
    return holder if kind is not None and kind.consumed else None


def _leading_to_touches(s: State, variables: Collection[Instance]) -> set[Frame]:
    """The frames that do something to one of the variables, and all from which one of these can be reached."""
    found = {frame for frame in s.frames if any(touch.variable in variables for touch in touches(s, frame))}
    work = list(found)
    while work:
        new = work.pop().callers.keys() - found
        found |= new
        work += new
    return found


def _below(s: State, near: Set[Frame], wants: Wants, run: tuple[Frame, ...]) -> dict[Frame, _Place]:
    """The frames near a variable that run in the other context; calls that enter one of their own are left out."""
    values = _given(s, near, wants, run)
    found = {frame: _Place(Aside.NO, None, None, values[frame]) for frame in run}
    work: dict[Aside, list[Frame]] = {Aside.NO: list(found), Aside.LINES: [], Aside.FIGURES: []}
    while waiting := next((frames for frames in work.values() if frames), None):
        frame = waiting.pop(0)
        for made in _made_there(s, wants, frame, values[frame]):
            for target in made.targets:
                if target in near and target not in found:
                    aside = max(found[frame].aside, _aside(s, frame, made, target))
                    found[target] = _Place(aside, frame, made.term, values[target])
                    work[aside].append(target)
    return found


def _given(s: State, near: Set[Frame], wants: Wants, run: Iterable[Frame]) -> dict[Frame, frozenset[str]]:
    """The parameters that every call in the other context gives a value, for each frame that runs there."""
    found = dict.fromkeys(run, frozenset[str]())
    work = list(found)
    for frame in work:  # grows while it is walked
        for made in _made_there(s, wants, frame, found[frame]):
            for target in filter(near.__contains__, made.targets):
                values = given(frame, found[frame], made.term, made.position, target)
                known = found.get(target)
                if known is None or not known <= values:
                    found[target] = values if known is None else known & values
                    work.append(target)
    return found


def _made_there(s: State, wants: Wants, frame: Frame, values: frozenset[str]) -> Iterator[Made]:
    """The calls of a frame that stay in its context, but for those that stand in for a parameter which is given."""
    for made in frame.made.values():
        if any((m := s.models.call(fqn)) is not None and m.enters for fqn in made.external):
            continue
        if not values or values.isdisjoint(wants(frame.info, made.position, made.term.span)):
            yield made


def _aside(s: State, frame: Frame, made: Made, target: Frame) -> Aside:
    """What the program has a call for, by who is called and whether anybody asks for the outcome."""
    if _is_of_log(s, target):
        return Aside.LINES
    function = frame.info.function
    op = function.ops[made.position]
    if not isinstance(op, Eval) or op.term is not made.term or any(b.term is op.term for b in function.blocks):
        return Aside.NO  # somebody takes the outcome
    owner = target.info.owner
    said = target.info.function.name if owner is None else f"{owner.summary.name}_{target.info.function.name}"
    counts = not s.models.figures.isdisjoint(plain(said).split("_"))
    return Aside.FIGURES if counts else Aside.NO


def _is_of_log(s: State, frame: Frame) -> bool:
    """Whether a frame is a method of what gives fields to log lines."""
    receiver = frame.receiver
    if not isinstance(receiver, Instance) or receiver.cls is None:
        return False
    return any((kind := s.models.type(base)) is not None and kind.log_context for base in mro(s, receiver.cls)[1])


# --- what is lost there ---------------------------------------------------------------------------------------------


def _lost(
    s: State,
    border: _Border,
    below: Mapping[Frame, _Place],
    setters: dict[Instance, list[Touch]],
    inside: set[Frame],
) -> dict[Instance, _Loss]:
    """The variables that are read behind a border, each with the read and the set before the border."""
    reads: dict[Instance, Touch] = {}
    own: set[Instance] = set()
    for frame in sorted(below, key=lambda f: below[f].aside):
        for touch in touches(s, frame):
            if not below[frame].given.isdisjoint(wanted(frame.info, touch.made.position, touch.made.term.span)):
                continue
            if touch.access is Access.READ:
                reads.setdefault(touch.variable, touch)
            elif touch.access is Access.STORE:
                own.add(touch.variable)
    entries = entries_of(border.frame)
    found: dict[Instance, _Loss] = {}
    for variable, read in reads.items():
        if variable in own:
            continue
        before = [t for t in setters.get(variable, ()) if t.frame not in inside and _is_before(t, entries)]
        if before:
            setter = min(before, key=lambda t: not entries_of(t.frame) & entries)  # the request's own, if there is one
            found[variable] = _Loss(read, setter, _way(read.frame, below), below[read.frame].aside)
    return found


def _way(frame: Frame, below: Mapping[Frame, _Place]) -> tuple[Hop, ...]:
    hops: list[Hop] = []
    at = below[frame]
    while at.caller is not None and at.call is not None:
        span = at.caller.info.module.span(at.call.span)
        hops.append(Hop(span, at.caller.info.qualname, frame.info.qualname))
        frame, at = at.caller, below[at.caller]
    return tuple(reversed(hops))


def _is_before(setter: Touch, entries: set[Frame]) -> bool:
    """Whether the requests that come to a border set the variable: in their own way, or before each request."""
    others = entries_of(setter.frame)
    if others & entries:
        return True
    return any(e.entry is not None and e.entry.model.every and is_task(e) in map(is_task, entries) for e in others)


# --- one suspect a call ---------------------------------------------------------------------------------------------


def _suspect(
    s: State, lives: Lifetimes, ways: Routes, border: _Border, lost: dict[Instance, _Loss]
) -> ContextLostSuspect:
    names = {variable: name_of(lives, variable) or _text(loss.read) for variable, loss in lost.items()}
    concepts = {variable: holder_concept(s.models, name) for variable, name in names.items()}
    first = min(lost, key=lambda v: (lost[v].aside, _rank(concepts[v]), names[v]))
    read, setter = lost[first].read, lost[first].setter
    info, module = border.frame.info, border.frame.info.module
    passed = _passed(border)
    return ContextLostSuspect(
        function=info.qualname,
        span=module.span(border.made.term.span),
        statement=module.span(info.function.ops[border.made.position].span),
        route=ways.route(border.frame),
        name=names[first],
        concept=concepts[first],
        border=border.model.border if border.model is not None else "queue",
        callee=border.run[0].info.qualname,
        way=lost[first].way,
        read=read.use.span,
        reader=read.frame.info.qualname,
        setter=setter.use.span,
        others=tuple(sorted(names[v] for v in lost if v is not first)),
        aside=lost[first].aside,
        passed=module.span(span) if passed is not None and (span := getattr(passed, "span", 0)) else None,
        packed="" if border.model is None else _packed(border.model),
    )


def _text(touch: Touch) -> str:
    func = touch.made.term.func
    return touch.frame.info.module.source(getattr(getattr(func, "base", None), "span", 0))


def _rank(concept: str) -> int:
    return _FIRST.index(concept) if concept in _FIRST else len(_FIRST)


def _passed(border: _Border) -> Term | None:
    """The argument that names what is run."""
    if border.model is None:
        return None
    call: Call = border.made.term
    for name, value in call.keywords:
        if name and name == border.model.runs_keyword:
            return value
    position = border.model.runs
    return call.args[position] if 0 <= position < len(call.args) else None


def _packed(model: CallModel) -> str:
    """How the function's arguments go along: the rest of the call's, a tuple, or the items of each."""
    return model.arguments if model.arguments not in ("", "items") else _EACH
