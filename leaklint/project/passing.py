"""Functions to how the session's id can come to them: calls of them and of what calls them, up to the handlers.

Only calls that the solver resolved. Whether there are others, which nobody resolved, is for the codemod to look for.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator

from msgspec import Struct, field

from leaklint.finding import Span
from leaklint.index.summary import Range
from leaklint.models import HomeModel
from leaklint.project.program import FunctionInfo
from leaklint.project.state import Frame, State
from leaklint.project.suspect import CallSite, Handler, Passing, Registration
from leaklint.project.values import NOTHING, Instance, Phase, Value


class Callers(Struct):
    """Who calls each function, and what a framework calls itself. Functions of one module may share their name."""

    of: dict[FunctionInfo, set[tuple[FunctionInfo, Range]]] = field(default_factory=lambda: defaultdict(set))
    named: dict[str, dict[FunctionInfo, None]] = field(default_factory=lambda: defaultdict(dict))
    entries: dict[FunctionInfo, list[Frame]] = field(default_factory=lambda: defaultdict(list))
    set_up: set[FunctionInfo] = field(default_factory=set)  # functions that run before any request


def callers(s: State) -> Callers:
    """The calls of a solved program."""
    found = Callers()
    for frame in s.frames:
        info = frame.info
        found.named[info.qualname][info] = None
        if frame.phase is not Phase.REQUEST:
            found.set_up.add(info)
        elif frame.entry is not None:
            found.entries[info].append(frame)
        for made in frame.made.values():
            for target in made.targets:
                found.of[target.info].add((info, made.term.span))
    return found


def passing(s: State, known: Callers, functions: Iterable[str]) -> Passing:
    """How the session's id could be handed down to the functions, which are said by their qualified names."""
    names = tuple(functions)
    seen = dict.fromkeys(info for name in names for info in known.named.get(name, ()))
    calls: set[CallSite] = set()
    handlers: list[Handler] = []
    homes: set[tuple[HomeModel, ...]] = set()
    work = list(seen)
    while work:
        info = work.pop()
        for caller, span in known.of.get(info, ()):
            calls.add(CallSite(_head(info), caller.module.span(span)))
            if caller not in seen:
                seen[caller] = None
                work.append(caller)
        if frames := known.entries.get(info):
            handlers.append(_handler(s, frames))
            homes |= {s.models.homes_of(f.entry.model) for f in frames if f.entry is not None}
    always = homes and not known.set_up & seen.keys() and all(name in known.named for name in names)
    common = homes.pop() if always and len(homes) == 1 else ()
    return Passing(
        calls=tuple(sorted(calls, key=lambda call: (call.callee, call.span))),
        handlers=tuple(sorted(handlers, key=lambda handler: handler.head)),
        once=_once(common),
        homes=common,
        others=tuple(sorted(_others(known, seen))),
    )


def _others(known: Callers, ours: Collection[FunctionInfo]) -> set[Span]:
    """The calls of other functions that have the name of one of ours, and never run ours."""
    names = {info.function.name for info in ours}
    called = {site for info in ours for site in known.of.get(info, ())}
    other = (sites for info, sites in known.of.items() if info.function.name in names and info not in ours)
    return {caller.module.span(span) for sites in other for caller, span in sites if (caller, span) not in called}


def _head(info: FunctionInfo) -> Span:
    return info.module.span(info.function.head)


def _handler(s: State, frames: list[Frame]) -> Handler:
    info = frames[0].info
    named = next((f"{param}.{path}" for param, path in _ids(s, frames)), "")
    homes = [home for frame in frames if frame.entry is not None for home in s.models.homes_of(frame.entry.model)]
    asked = next((home for home in homes if home.given and home.scope == "session"), None)
    given, attribute = (asked.type, asked.id.partition(".")[2]) if asked is not None else ("", "")
    return Handler(_head(info), named, given, attribute, tuple(_registered(s, info)))


def _registered(s: State, info: FunctionInfo) -> Iterator[Registration]:
    for (module, span), model in s.registered.get(info, {}).items():
        where = module.span(span or info.function.head)
        yield Registration(where, model.argument, model.inputs, model.outputs, model.exact)


def _ids(s: State, frames: list[Frame]) -> Iterable[tuple[str, str]]:
    """Parameters that are an object of the framework which knows the session, and the attribute that does."""
    for param in frames[0].info.function.params:
        values = [frame.args.get(param.name, NOTHING) for frame in frames]
        for home in s.models.homes:
            if home.id and home.type and home.scope == "session" and all(_is_of(v, home.type) for v in values):
                yield param.name, home.id.partition(".")[2]


def _is_of(value: Value, fqn: str) -> bool:
    return bool(value) and all(isinstance(atom, Instance) and atom.fqn == fqn for atom in value)


def _once(homes: tuple[HomeModel, ...]) -> str:
    """The expression that is the session's id wherever a request runs."""
    return next((h.once for h in homes if h.once and h.scope == "session" and "{" not in h.once), "")
