"""Context variables that are set and not set back where somebody else goes on with the same context, as suspects.

Generators that set one for the length of their `yield`, and frameworks whose threads take the next request in the
context of the last one. Where every request sets the variable first, nothing is left over, and nothing is a suspect.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

from leaklint.index.summary import Attr, Call, Const, Name, Term, Yield
from leaklint.project.context import Touch, is_certain, is_for_every, name_of
from leaklint.project.idnames import holder_concept
from leaklint.project.lifetimes import Lifetimes
from leaklint.project.program import FunctionInfo
from leaklint.project.routes import Routes
from leaklint.project.spots import spots
from leaklint.project.state import Frame, State
from leaklint.project.suspect import Access, ContextVarSuspect, Misuse, Use
from leaklint.project.terms import calls_in
from leaklint.project.values import Instance, Phase

_MANAGERS = ("contextmanager", "asynccontextmanager")
_KEPT = "kept"  # of entry models


def left_set(
    s: State, lives: Lifetimes, ways: Routes, seen: Mapping[Frame, tuple[Touch, ...]]
) -> Iterator[ContextVarSuspect]:
    """One suspect a variable and reason, at the set nearest to an entry; `seen` is what requests do to variables."""
    by_variable: dict[Instance, list[Touch]] = defaultdict(list)
    for here in seen.values():
        for touch in here:
            by_variable[touch.variable].append(touch)
    for variable, found in by_variable.items():
        found.sort(key=lambda t: (ways.distance[t.frame], t.frame.info.module.path, t.made.term.span))
        readers = tuple(dict.fromkeys(t.use for t in found if t.access is Access.READ))
        if not readers:
            continue
        told: set[FunctionInfo] = set()
        kept = () if _is_reset(s, name_of(lives, variable)) else _in_kept_contexts(ways, found)
        for misuse, touch in (*_in_generators(found), *kept):
            if touch.frame.info not in told:
                told.add(touch.frame.info)
                yield _suspect(s, lives, ways, variable, misuse, touch, readers)


# --- generators -----------------------------------------------------------------------------------------------------


def _in_generators(found: Iterable[Touch]) -> Iterator[tuple[Misuse, Touch]]:
    """Sets before a `yield` in generators that never reset or set again."""
    by_function: dict[FunctionInfo, dict[int, Touch]] = defaultdict(dict)
    for touch in found:
        if touch.access is not Access.READ and touch.frame.info.function.is_generator:
            by_function[touch.frame.info][touch.made.term.order] = touch
    for info, calls in by_function.items():
        if info.function.is_async and not _is_manager(info):
            continue  # the steps run in the task of the request
        yields = [spot.term.order for spot in spots(info) if isinstance(spot.term, Yield)]
        first = min(calls)
        behind = [order for order in yields if order > first]
        if behind and calls[first].access is Access.STORE and not any(order > behind[0] for order in calls):
            yield Misuse.GENERATOR, calls[first]


def _is_manager(info: FunctionInfo) -> bool:
    return any(_last_name(term) in _MANAGERS for term in info.function.decorators)


def _last_name(term: Term) -> str:
    term = term.func if isinstance(term, Call) else term
    return term.id if isinstance(term, Name) else term.name if isinstance(term, Attr) else ""


# --- threads that keep their context --------------------------------------------------------------------------------


def _in_kept_contexts(ways: Routes, found: list[Touch]) -> Iterator[tuple[Misuse, Touch]]:
    """Sets that a later request on the same thread finds, because it does not set the variable itself."""
    if any(_clears(touch) for touch in found):
        return
    sets = [(t, _kept_entries(t.frame)) for t in found if t.access is Access.STORE]
    if any(is_for_every(e) and is_certain(ways, t) for t, entries in sets for e in entries):
        return
    setting = {entry.info for _, entries in sets for entry in entries}
    reading = {e.info for t in found if t.access is Access.READ for e in _kept_entries(t.frame)}
    for touch, entries in sets:
        if not entries or touch.frame.info.function.is_generator:
            continue
        if any(is_for_every(entry) for entry in entries) or reading - setting:
            yield Misuse.KEPT, touch
            return


def _is_reset(s: State, name: str) -> bool:
    """Whether any code resets a variable, also such as no request was seen to reach: the end of a `with`."""
    return bool(name) and any(
        _resets(call, name)
        for module in s.program.modules
        if module.may_name("reset") and module.mentions(name)
        for info in module.functions
        for call in calls_in(info.function.ops)
    )


def _resets(call: Call, name: str) -> bool:
    match call.func:
        case Attr(base=Name(id=base) | Attr(name=base), name="reset"):
            return base == name
        case _:
            return False


def _clears(touch: Touch) -> bool:
    """Whether a call resets a variable, or sets it to a constant that stands for nothing."""
    return touch.access is Access.DELETE or (touch.access is Access.STORE and isinstance(touch.value, Const))


def _kept_entries(frame: Frame) -> list[Frame]:
    """The entries that come to a frame and whose threads keep their context for the next request."""
    seen, work = {frame}, [frame]
    for at in work:
        for caller in at.callers:
            if caller not in seen and caller.phase is Phase.REQUEST:
                seen.add(caller)
                work.append(caller)
    return [at for at in work if at.entry is not None and at.entry.model.context == _KEPT]


def _suspect(
    s: State,
    lives: Lifetimes,
    ways: Routes,
    variable: Instance,
    misuse: Misuse,
    touch: Touch,
    readers: tuple[Use, ...],
) -> ContextVarSuspect:
    info, name, func = touch.frame.info, name_of(lives, variable), touch.made.term.func
    text = info.module.source(getattr(func.base, "span", 0)) if isinstance(func, Attr) else ""
    return ContextVarSuspect(
        function=info.qualname,
        span=touch.use.span,
        statement=touch.use.statement,
        route=ways.route(touch.frame),
        misuse=misuse,
        name=name or text,
        concept=holder_concept(s.models, name),
        value=info.module.source(getattr(touch.value, "span", 0)),
        default="",
        default_span=None,
        writes=(),
        readers=readers,
        uses=(),
    )
