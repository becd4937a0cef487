"""Defaults of context variables that request code changes, as suspects.

A default is one object for all contexts, so what one request puts into it every other finds. A default that is only
read, or copied before it is changed, is none; so is a change under the request's own identity.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping

from leaklint.index.summary import covers
from leaklint.project import evaluate
from leaklint.project.context import (
    DEFAULT,
    Touch,
    entries_of,
    is_certain,
    is_for_every,
    is_task,
    is_variable,
    name_of,
    occurrences_of,
)
from leaklint.project.idnames import holder_concept
from leaklint.project.lifetimes import Lifetimes, is_identity
from leaklint.project.routes import Routes
from leaklint.project.state import Effect, Frame, State
from leaklint.project.suspect import Access, ContextVarSuspect, Misuse, Use
from leaklint.project.values import Instance, Phase

_DEEP = 3  # objects held by objects held by the default


def shared_defaults(
    s: State, lives: Lifetimes, ways: Routes, seen: Mapping[Frame, tuple[Touch, ...]]
) -> Iterator[ContextVarSuspect]:
    """One suspect a variable, with all changes of its default; `seen` is what request code does to variables."""
    parts = _parts_of_defaults(s)
    if not parts:
        return
    writes: dict[Instance, list[tuple[Frame, Effect]]] = defaultdict(list)
    readers: dict[Instance, dict[Use, None]] = defaultdict(dict)
    for frame in ways.before:
        for effect in frame.effects:
            variable = parts.get(effect.holder) if isinstance(effect.holder, Instance) else None
            if variable is not None and _keeps(s, effect):
                writes[variable].append((frame, effect))
        for touch in seen.get(frame, ()):
            if touch.access is Access.READ:
                readers[touch.variable][touch.use] = None
    first = _set_first(s, ways, seen)
    for variable, every in writes.items():
        changes = [c for c in every if not _tasks(c[0]) <= first[variable]]
        if not changes:
            continue
        changes.sort(key=lambda c: (ways.distance[c[0]], c[0].info.module.path, c[1].span))
        yield _suspect(s, lives, ways, variable, changes, tuple(readers[variable]))


def _set_first(s: State, ways: Routes, seen: Mapping[Frame, tuple[Touch, ...]]) -> dict[Instance, set[bool]]:
    """Variables that hooks set to a new object before each request: of tasks of workers (true), of others (false)."""
    found: dict[Instance, set[bool]] = defaultdict(set)
    for touch in (t for here in seen.values() for t in here if t.access is Access.STORE and t.value is not None):
        value = evaluate.evaluate(s, touch.frame, touch.value, touch.made.position) if touch.value else ()
        if not any(isinstance(a, Instance) and a.phase is Phase.REQUEST for a in value) or not is_certain(ways, touch):
            continue
        found[touch.variable].update(is_task(e) for e in entries_of(touch.frame) if is_for_every(e))
    return found


def _tasks(frame: Frame) -> set[bool]:
    """Whether tasks of workers come to a frame (true), or other requests."""
    return {is_task(entry) for entry in entries_of(frame)}


def _parts_of_defaults(s: State) -> dict[Instance, Instance]:
    """Objects made once that a variable's default is, or holds."""
    found: dict[Instance, Instance] = {}
    for variable in list(s.heap):
        if not isinstance(variable, Instance) or not is_variable(s.models, variable):
            continue
        work = [(atom, 0) for atom in s.heap[variable].get(DEFAULT, ())]
        while work:
            atom, depth = work.pop()
            if isinstance(atom, Instance) and atom.phase is Phase.SETUP and atom not in found:
                found[atom] = variable
                if depth < _DEEP and atom in s.heap:
                    work += [(inner, depth + 1) for value in s.heap[atom].values() for inner in value]
    return found


def _keeps(s: State, effect: Effect) -> bool:
    """Whether a change leaves request data behind."""
    if effect.access is Access.DELETE or is_identity(s, effect):
        return False
    return bool(evaluate.carried(s, None, effect.value | effect.key))


def _suspect(
    s: State,
    lives: Lifetimes,
    ways: Routes,
    variable: Instance,
    changes: list[tuple[Frame, Effect]],
    readers: tuple[Use, ...],
) -> ContextVarSuspect:
    module, made = variable.module, variable.frame
    assert made is not None
    (frame, first), name = changes[0], name_of(lives, variable)
    default = next(
        (a for a in s.heap[variable][DEFAULT] if isinstance(a, Instance) and covers(variable.span, a.span)), None
    )
    carried = sorted({t.concept for t in evaluate.carried(s, None, first.value | first.key) if t.concept})
    statement = next((op.span for op in made.info.function.ops if covers(op.span, variable.span)), variable.span)
    return ContextVarSuspect(
        function=made.info.qualname,
        span=module.span(variable.span),
        statement=module.span(statement),
        route=ways.route(frame),
        misuse=Misuse.DEFAULT,
        name=name or "the variable",
        concept=holder_concept(s.models, name) or next(iter(carried), ""),
        value=frame.info.module.source(getattr(first.value_term, "span", 0)),
        default=module.source(default.span) if default is not None and default.module is module else "",
        default_span=module.span(default.span) if default is not None and default.module is module else None,
        writes=tuple(dict.fromkeys(_use(f, e) for f, e in changes)),
        readers=readers,
        uses=occurrences_of(s, variable, name),
    )


def _use(frame: Frame, effect: Effect) -> Use:
    module = frame.info.module
    statement = module.span(frame.info.function.ops[effect.position].span)
    return Use(effect.access, module.span(effect.span), statement, frame.info.qualname, True)
