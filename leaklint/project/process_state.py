"""What request code changes that the whole process has once: environment, working directory, settings of libraries.

Calls and swapped objects; one suspect a setting and function. Values stored in names of libraries are writes, told as
such; here it is only asked which of those are worth telling.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from msgspec import Struct

from leaklint.finding import Span
from leaklint.index.summary import Attr, Bind, BlockKind, Call, Const, How, Name, Range, Term
from leaklint.project import evaluate
from leaklint.project.asking import arguments, value_of
from leaklint.project.locks import Locks
from leaklint.project.program import FunctionInfo
from leaklint.project.routes import Routes
from leaklint.project.schedule import Schedule
from leaklint.project.state import Effect, Frame, Made, State
from leaklint.project.suspect import Access, SettingSuspect, Strength, Use, WriteSuspect
from leaklint.project.values import External, Literal, Taint, Value


class _Change(Struct, frozen=True):
    """One change of a setting in one frame."""

    frame: Frame
    position: int
    order: int
    span: Range
    setting: str
    race: bool
    taints: frozenset[Taint]
    value: Range  # of the request data in it; 0 when there is none
    constant: bool  # it is changed to the same thing each time
    until: int  # the order at which a `with` takes it back; 0 when none does


def settings(s: State, ways: Routes, plan: Schedule, locks: Locks) -> list[SettingSuspect]:
    """All suspects of this kind, in order of path and line."""
    groups: dict[tuple[FunctionInfo, str], list[_Change]] = defaultdict(list)
    for frame in ways.before:
        if plan.concurrent(frame):
            for change in (*_calls(s, frame), *_swaps(s, frame)):
                groups[frame.info, change.setting].append(change)
    found = [_suspect(ways, changes) for changes in groups.values() if _is_felt(s, plan, locks, changes)]
    return sorted(found, key=lambda f: f.span)


def is_felt(w: WriteSuspect, ways: Routes, plan: Schedule, locks: Locks) -> bool:
    """Whether another request meets what a write to a library's name leaves there, before it is set back."""
    for frame in ways.before:
        if frame.info.qualname != w.function:
            continue
        for effect in frame.effects:
            if frame.info.module.span(effect.span) == w.span and plan.concurrent(frame):
                if not w.place.setting and not _is_imported(frame.info, effect.place):
                    continue  # an object that the library may have made for this request
                order = frame.info.function.ops[effect.position].order
                if not w.resets or not locks.protect(frame, order, order):
                    return True
    return False


def _is_imported(info: FunctionInfo, place: Term) -> bool:
    """Whether a place is said as an attribute of an imported name: `package.setting`."""
    if not isinstance(place, Attr):
        return False
    root: Term = place
    while isinstance(root, Attr):
        root = root.base
    if not isinstance(root, Name):
        return False
    for scope in (info, info.module.functions[0]):
        for position in scope.binds().get(root.id, ()):
            op = scope.function.ops[position]
            return isinstance(op, Bind) and op.how is How.IMPORT
    return False


# --- changes --------------------------------------------------------------------------------------------------------


def _calls(s: State, frame: Frame) -> Iterator[_Change]:
    for made in list(frame.made.values()):
        for name in made.external:
            model = s.models.call(name)
            if model is None or not model.process or _is_of_request(s, frame, made):
                continue
            terms = list(arguments(made.term))
            values = [value_of(s, frame, term, made.position) for term in terms]
            carried = [evaluate.carried(s, None, value) for value in values]
            spans = [getattr(term, "span", 0) for term, taints in zip(terms, carried, strict=True) if taints]
            yield _Change(
                frame=frame,
                position=made.position,
                order=made.term.order,
                span=made.term.span,
                setting=model.process,
                race=model.race,
                taints=frozenset().union(*carried),
                value=spans[0] if spans else 0,
                constant=all(_is_constant(t, v) for t, v in zip(terms, values, strict=True)),
                until=_end_of_with(frame, made.term),
            )


def _is_of_request(s: State, frame: Frame, made: Made) -> bool:
    """Whether a call is made on an object that is named for the request: a logger of its own."""
    func = made.term.func
    return isinstance(func, Attr) and bool(evaluate.carried(s, None, value_of(s, frame, func.base, made.position)))


def _swaps(s: State, frame: Frame) -> Iterator[_Change]:
    """Objects put in the place of others: `sys.stdout = buffer`."""
    for effect in frame.effects:
        holder = effect.holder
        if effect.access is not Access.STORE or not isinstance(holder, External) or effect.field[:1] == "[":
            continue
        model = s.models.attribute(s.models.canonical(f"{holder.fqn}.{effect.field}"))
        if model is None or not model.process or not model.race:
            continue
        yield _swap(s, frame, effect, model.process)


def _swap(s: State, frame: Frame, effect: Effect, setting: str) -> _Change:
    taints = evaluate.carried(s, None, effect.value)
    return _Change(
        frame=frame,
        position=effect.position,
        order=frame.info.function.ops[effect.position].order,
        span=effect.span,
        setting=setting,
        race=True,
        taints=taints,
        value=getattr(effect.value_term, "span", 0) if taints else 0,
        constant=effect.value_term is not None and _is_constant(effect.value_term, effect.value),
        until=0,
    )


def _is_constant(term: Term, value: Value) -> bool:
    if isinstance(term, Const):
        return True
    return bool(value) and all(isinstance(a, (Literal, External)) for a in value)


def _end_of_with(frame: Frame, call: Call) -> int:
    """The order at which the `with` block ends that a call manages."""
    for block in frame.info.function.blocks:
        if block.kind is BlockKind.WITH and block.term is not None and _is_in(block.term, call):
            return block.end
    return 0


def _is_in(term: Term, call: Call) -> bool:
    return term == call or (isinstance(term, Call) and any(_is_in(inner, call) for inner in arguments(term)))


# --- whether another request meets it -------------------------------------------------------------------------------


def _is_felt(s: State, plan: Schedule, locks: Locks, changes: list[_Change]) -> bool:
    changes.sort(key=lambda c: (c.frame.info.module.path, c.span))
    tainted = any(c.taints for c in changes)
    if not tainted and not changes[0].race:
        return False
    frame = changes[0].frame
    first, last = min(c.order for c in changes), max(max(c.order, c.until) for c in changes)
    restored = [order for order in _restored(s, frame, changes[0].setting) if order > first]
    last = max(last, *restored, first)
    if not restored and not _is_undone(changes):
        return tainted or not all(c.constant for c in changes)
    if locks.protect(frame, first, last):
        return False
    return plan.preemptive(frame) or plan.between(frame, first, last) is not None


def _restored(s: State, frame: Frame, setting: str) -> Iterator[int]:
    """The orders at which a frame stores or deletes names of the same setting, as it does to set them back."""
    for effect in frame.effects:
        if isinstance(effect.holder, External):
            model = s.models.attribute(effect.holder.fqn)
            if model is not None and model.process == setting:
                yield frame.info.function.ops[effect.position].order


def _is_undone(changes: list[_Change]) -> bool:
    """Whether the function sets back what it changes: at the end of a `with`, or by a further change behind it."""
    if any(c.until for c in changes):
        return True
    return len({c.span for c in changes}) > 1


# --- one suspect a setting and function -----------------------------------------------------------------------------


def _suspect(ways: Routes, changes: list[_Change]) -> SettingSuspect:
    first = next((c for c in changes if c.taints), changes[0])
    frame = min((c.frame for c in changes), key=lambda f: ways.distance[f])
    info = first.frame.info
    module = info.module
    strongest = max(first.taints, key=lambda t: (t.strength is Strength.IDENTITY, t.concept), default=None)
    others = sorted({c.span: c for c in changes if c.span != first.span}.values(), key=lambda c: c.span)
    undone = others[-1] if others and not others[-1].taints and not first.until else None
    return SettingSuspect(
        function=info.qualname,
        span=module.span(first.span),
        statement=_statement(first),
        route=ways.route(frame),
        setting=first.setting,
        text=module.source(first.span),
        value=module.source(first.value) if first.value else "",
        strength=strongest.strength if strongest else None,
        concept=strongest.concept if strongest else "",
        race=first.race,
        known=True,
        siblings=tuple(_use(c) for c in others if c is not undone),
        undone=_use(undone) if undone is not None else None,
    )


def _statement(change: _Change) -> Span:
    return change.frame.info.module.span(change.frame.info.function.ops[change.position].span)


def _use(change: _Change) -> Use:
    module = change.frame.info.module
    return Use(Access.STORE, module.span(change.span), _statement(change), change.frame.info.qualname, True)
