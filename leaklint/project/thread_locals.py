"""Request data in thread-locals that code on an event loop writes or reads, as suspects.

All requests of a loop run in one thread. A value that is set and taken back before the loop goes on is none; neither is
what says nothing about a request, nor what the threads of a pool keep for themselves.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from msgspec import Struct, field

from leaklint.finding import Span
from leaklint.index.summary import BlockKind, Name, Range, covers
from leaklint.project import evaluate
from leaklint.project.calls import mro
from leaklint.project.context import name_of, occurrences_of
from leaklint.project.lifetimes import Lifetimes
from leaklint.project.program import FunctionInfo, ancestors, exclusive, within
from leaklint.project.routes import Routes
from leaklint.project.schedule import Schedule, Wait
from leaklint.project.state import Effect, Frame, State
from leaklint.project.suspect import Access, Strength, ThreadLocalSuspect, Use
from leaklint.project.values import Atom, Instance


class _Slot(Struct):
    """What request code does with one attribute of one thread-local."""

    writes: list[tuple[Frame, Effect]] = field(default_factory=list)  # of request data
    resets: list[tuple[Frame, Effect]] = field(default_factory=list)  # of anything else
    reads: list[tuple[Frame, Range, int]] = field(default_factory=list)


class _Asked(Struct, frozen=True):
    """One attribute, with what is needed to judge it."""

    s: State
    ways: Routes
    plan: Schedule
    slot: _Slot


def thread_locals(s: State, lives: Lifetimes, ways: Routes, plan: Schedule) -> Iterator[ThreadLocalSuspect]:
    """One suspect an attribute, at the write nearest to an entry, else at the read."""
    fields = _fields(s)
    slots: dict[tuple[Instance, str], _Slot] = defaultdict(_Slot)
    for frame in ways.before if fields else ():
        for effect in frame.effects:
            for key in _written(fields, effect):
                kept = evaluate.carried(s, None, effect.value) and not _takes_back(frame, effect, key)
                (slots[key].writes if kept else slots[key].resets).append((frame, effect))
        for (holder, name), spots in list(frame.loads.items()):
            if holder in fields and name[:1] not in "[(":
                slots[holder, name].reads += [(frame, span, at) for span, at in spots if span]  # type: ignore[index]
    for (local, name), slot in slots.items():
        slot.writes.sort(key=lambda w: (ways.distance[w[0]], w[0].info.module.path, w[1].span))
        yield from _judged(_Asked(s, ways, plan, slot), lives, local, name)


def _fields(s: State) -> dict[Atom | Frame, list[tuple[Instance, str]]]:
    """Thread-locals, and the containers kept in their attributes, each with the attributes it stands for."""
    found: dict[Atom | Frame, list[tuple[Instance, str]]] = {}
    for local in [h for h in s.heap if isinstance(h, Instance) and _is_local(s, h)]:
        found[local] = []
        for name, value in s.heap[local].items():
            for atom in value:
                if isinstance(atom, Instance) and atom.cls is None and name[:1] not in "[(":
                    found.setdefault(atom, []).append((local, name))
    return found


def _is_local(s: State, instance: Instance) -> bool:
    names = mro(s, instance.cls)[1] if instance.cls is not None else (instance.fqn,)
    return any((kind := s.models.type(name)) is not None and kind.thread for name in names if name)


def _written(fields: dict[Atom | Frame, list[tuple[Instance, str]]], effect: Effect) -> list[tuple[Instance, str]]:
    if effect.holder not in fields or not isinstance(effect.holder, Instance):
        return []
    return [(effect.holder, effect.field)] if effect.field[:1] not in "[(" else fields[effect.holder]


def _takes_back(frame: Frame, effect: Effect, key: tuple[Instance, str]) -> bool:
    """Whether a write only ends an earlier one: in a `finally`, or with what the attribute held before."""
    function = frame.info.function
    if effect.access is Access.DELETE:
        return True
    if any(function.blocks[b].kind is BlockKind.FINALLY for b in ancestors(function.blocks, _block(frame, effect))):
        return True
    if not isinstance(effect.value_term, Name):
        return False
    read = [span for span, _ in frame.loads.get(key, ())]
    binds = frame.info.reaching(effect.value_term.id, effect.position)[0]
    return bool(binds) and all(any(covers(function.ops[b].span, span) for span in read) for b in binds)


def _block(frame: Frame, effect: Effect) -> int:
    return frame.info.function.ops[effect.position].block


# --- judging one attribute ------------------------------------------------------------------------------------------


def _judged(asked: _Asked, lives: Lifetimes, local: Instance, name: str) -> Iterator[ThreadLocalSuspect]:
    slot = asked.slot
    places = {(f.info, getattr(e.place, "span", 0)) for f, e in (*slot.writes, *slot.resets)}
    reads = [r for r in slot.reads if not any(i is r[0].info and covers(span, r[1]) for i, span in places)]
    if not slot.writes or not reads:
        return
    told = {}
    for frame, span, at in reads:
        op = frame.info.function.ops[at]
        module = frame.info.module
        use = Use(Access.READ, module.span(span), module.span(op.span), frame.info.qualname, True)
        told[use] = frame
    for frame, effect in slot.writes:
        if asked.plan.on_loop(frame):
            pause = _pause(asked, frame, effect, [f for f, _, _ in reads])
            if pause is not None:
                yield _suspect(asked, lives, local, name, frame, effect.span, effect, pause.span, tuple(told))
                return
    if any(asked.plan.on_loop(frame) for frame, _ in slot.writes):
        return
    for frame, span, _ in reads:
        if asked.plan.on_loop(frame):
            yield _suspect(asked, lives, local, name, frame, span, None, None, tuple(told))
            return


class _Pause(Struct, frozen=True):
    """That other requests run while a value is set; `span` is where, if it is known."""

    span: Span | None


def _pause(asked: _Asked, frame: Frame, effect: Effect, readers: list[Frame]) -> _Pause | None:
    """Where the loop goes on with other requests behind a write: in its function, or in those that called it."""
    order = frame.info.function.ops[effect.position].order
    work: list[tuple[Frame, int, int | None]] = [(frame, order, None)]
    seen = {frame}
    for at, behind, block in work:
        end = _reset_behind(asked.slot, at, behind) if block is None else None
        is_plain_generator = at.info.function.is_generator and not at.info.function.is_async
        if not is_plain_generator:
            wait = next((w for w in asked.plan.suspensions(at) if _follows(at, behind, block, w)), None)
            if wait is not None and (end is None or wait.order < end):
                return _Pause(at.info.module.span(wait.span) if wait.span else None)
        if (end is not None and not is_plain_generator) or block is not None:
            continue
        if (at.entry is not None or at in asked.s.filled) and not _all_below(at, readers):
            return _Pause(None)
        for caller, call in at.callers.items():
            if caller not in seen and asked.plan.on_loop(caller):
                seen.add(caller)
                held = _with_block(caller.info, call.order) if end is not None else None
                work.append((caller, call.order, held))
    return None


def _reset_behind(slot: _Slot, frame: Frame, order: int) -> int | None:
    """Where the same function takes the value back: the order of the operation."""
    orders = [f.info.function.ops[e.position].order for f, e in slot.resets if f.info is frame.info]
    return min((o for o in orders if o > order), default=None)


def _follows(frame: Frame, order: int, block: int | None, wait: Wait) -> bool:
    blocks = frame.info.function.blocks
    if wait.order <= order:
        return False
    if block is not None:
        return within(blocks, wait.block, block)
    here = next((op.block for op in frame.info.function.ops if op.order >= order), 0)
    return not exclusive(blocks, wait.block, here)


def _with_block(info: FunctionInfo, order: int) -> int | None:
    """The block of the `with` statement whose head holds a call."""
    found = [(b.start, i) for i, b in enumerate(info.function.blocks) if b.kind is BlockKind.WITH and b.end > order]
    return min(found)[1] if found else None


def _all_below(entry: Frame, readers: list[Frame]) -> bool:
    """Whether only what the entry itself runs reads the value, which it has set before."""
    for reader in readers:
        seen, work = {reader}, [reader]
        for at in work:
            new = [caller for caller in at.callers if caller not in seen]
            seen.update(new)
            work += new
        if entry not in seen or any(at.entry is not None and at is not entry for at in seen):
            return False
    return True


def _suspect(
    asked: _Asked,
    lives: Lifetimes,
    local: Instance,
    attribute: str,
    frame: Frame,
    span: Range,
    effect: Effect | None,
    pause: Span | None,
    readers: tuple[Use, ...],
) -> ThreadLocalSuspect:
    module, name = frame.info.module, name_of(lives, local)
    taints = evaluate.carried(asked.s, None, asked.slot.writes[0][1].value if effect is None else effect.value)
    strongest = max(taints, key=lambda t: (t.strength is Strength.IDENTITY, t.concept))
    position = next(i for i, op in enumerate(frame.info.function.ops) if covers(op.span, span))
    return ThreadLocalSuspect(
        function=frame.info.qualname,
        span=module.span(span),
        statement=module.span(frame.info.function.ops[position].span),
        route=asked.ways.route(frame),
        name=f"{name or 'self'}.{attribute}",
        value=module.source(getattr(effect.value_term, "span", 0)) if effect is not None else "",
        strength=strongest.strength,
        concept=strongest.concept,
        created=local.module.span(local.span),
        suspends=pause,
        readers=readers,
        pool=any(asked.plan.preemptive(f) for f, _ in (*asked.slot.writes, *asked.slot.resets)),
        uses=occurrences_of(asked.s, local, name),
    )
