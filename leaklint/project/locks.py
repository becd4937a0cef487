"""Which locks are held over two steps of a function, and whether they keep other requests out there.

By `with` blocks, `acquire` and `release`, decorators, and by all callers holding one. A lock that is made for the call
itself keeps nobody out; one of an event loop keeps no thread out. What the steps do is not known here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from msgspec import Struct, field

from leaklint.index.summary import Attr, Await, BlockKind, Call, Item, Name, Range, Term, Yield, walk
from leaklint.project import evaluate
from leaklint.project.guards import same_shape
from leaklint.project.lifetimes import Lifetimes
from leaklint.project.schedule import Schedule
from leaklint.project.state import Frame, State
from leaklint.project.values import Instance, Literal, Phase, Value

_LOCK_WORDS = (
    "lock",
    "locks",
    "locked",
    "locking",
    "rlock",
    "wlock",
    "mutex",
    "semaphore",
    "synchronized",
    "synchronised",
    "exclusive",
)
_ALWAYS = 1 << 60  # an order behind every order of a function


class Held(NamedTuple):
    """A lock and the part of a function over which it is held, by order; both ends are outside."""

    start: int
    end: int
    reach: str  # "task", "thread" or "machine" as in the models; "own" for one that nobody else has
    text: str
    span: Range


class Locks(Struct):
    """The locks of a solved program; what callers hold is worked out once a frame."""

    state: State
    lives: Lifetimes
    plan: Schedule
    _held: dict[Frame, tuple[Held, ...]] = field(default_factory=dict)
    _around: dict[Frame, bool] = field(default_factory=dict)

    def held(self, frame: Frame) -> tuple[Held, ...]:
        """All locks that the body of a frame takes."""
        known = self._held.get(frame)
        if known is None:
            known = self._held[frame] = tuple(_held(self, frame))
        return known

    def over(self, frame: Frame, first: int, last: int) -> list[Held]:
        """The locks that the frame itself holds without a break from order `first` to `last`."""
        return [h for h in self.held(frame) if h.start < first and last <= h.end]

    def protect(self, frame: Frame, first: int, last: int) -> bool:
        """Whether some lock keeps other requests of the process out from order `first` to `last`."""
        return any(self._works(frame, h) for h in self.over(frame, first, last)) or self.around(frame)

    def around(self, frame: Frame) -> bool:
        """Whether everybody who calls the frame holds a lock that works there."""
        known = self._around.get(frame)
        if known is None:
            self._around[frame] = False  # while it is asked
            known = self._around[frame] = self._asked(frame)
        return known

    def _asked(self, frame: Frame) -> bool:
        if frame.entry is not None or not frame.callers:
            return False
        for caller in frame.callers:
            if caller.phase is not Phase.REQUEST:
                continue
            orders = [order for order, made in caller.made.items() if frame in made.targets]
            if not orders or not all(self.protect(caller, order, order) for order in orders):
                return False
        return any(c.phase is Phase.REQUEST for c in frame.callers)

    def _works(self, frame: Frame, lock: Held) -> bool:
        if lock.reach == "own":
            return False
        return lock.reach != "task" or not self.plan.preemptive(frame)


def _held(found: Locks, frame: Frame) -> Iterator[Held]:
    function = frame.info.function
    for index, block in enumerate(function.blocks):
        if block.kind is BlockKind.WITH and block.term is not None:
            position = next((p for p, op in enumerate(function.ops) if op.block >= index and op.order > block.start), 0)
            reach = lock_reach(found, frame, block.term, position)
            if reach:
                yield Held(block.start, block.end, reach, *_words(frame, block.term))
    yield from _acquired(found, frame)
    for decorator in function.decorators:
        if _is_lock_name(_last_name(decorator)):
            yield Held(-1, _ALWAYS, "thread", *_words(frame, decorator))


def _acquired(found: Locks, frame: Frame) -> Iterator[Held]:
    """From `x.acquire()` to the last `x.release()` behind it."""
    calls = [(position, call) for position, call in _calls(frame) if isinstance(call.func, Attr)]
    for position, call in calls:
        assert isinstance(call.func, Attr)
        if call.func.name != "acquire":
            continue
        shape = same_shape(call.func.base)
        ends = [c.order for _, c in calls if _is_release(c, shape) and c.order > call.order]
        reach = lock_reach(found, frame, call.func.base, position) if ends and shape is not None else ""
        if reach:
            yield Held(call.order, max(ends), reach, *_words(frame, call.func.base))


def _is_release(call: Call, shape: object) -> bool:
    return isinstance(call.func, Attr) and call.func.name == "release" and same_shape(call.func.base) == shape


def _calls(frame: Frame) -> Iterator[tuple[int, Call]]:
    return ((made.position, made.term) for _, made in sorted(frame.made.items()))


# --- what is a lock -------------------------------------------------------------------------------------------------


def lock_reach(found: Locks, frame: Frame, term: Term, position: int) -> str:
    """How far the lock that a term stands for reaches, "own" when it is made for this call; empty for no lock."""
    if isinstance(term, Await):
        term = term.value
    if isinstance(term, Call) and (inner := _of_manager(found, frame, term)):
        return inner
    if isinstance(term, Call) and isinstance(term.func, Attr) and term.func.name == "acquire":
        term = term.func.base
    value = evaluate.evaluate(found.state, frame, term, position)
    reaches = {r for atom in value if isinstance(atom, Instance) and (r := _reach_of(found, atom))}
    if reaches:
        return "own" if reaches == {"own"} else sorted(reaches - {"own"})[0]
    return "machine" if _is_lock_name(_last_name(term)) and not _is_plain_object(value) else ""


def _reach_of(found: Locks, atom: Instance) -> str:
    if atom.cls is not None:
        return _reach_of_own(found, atom) if _is_lock_name(atom.cls.info.summary.name) else ""
    kind = found.state.models.type(atom.fqn)
    if kind is None or not kind.lock or _admits_several(found.state, atom):
        return ""
    if kind.lock == "machine" or atom.phase is Phase.SETUP or atom in found.lives.kept:
        return kind.lock
    held_by = [holder for holder, _ in found.lives.holders.get(atom, ())]
    if any(found.lives.why(holder) is not None or holder in found.lives.kept for holder in (atom, *held_by)):
        return kind.lock  # it is there as long as what it is a part of
    return "own"


def _reach_of_own(found: Locks, atom: Instance) -> str:
    """The reach of a lock that is a class of the program: that of the lock in it; nobody knows how far another goes."""
    held = [a for v in found.state.heap.get(atom, {}).values() for a in v if isinstance(a, Instance) and a.cls is None]
    kinds = {k.lock for a in held if (k := found.state.models.type(a.fqn)) is not None and k.lock}
    return min(kinds, default="machine")


def _admits_several(s: State, atom: Instance) -> bool:
    """Whether a semaphore lets more than one in."""
    counts = {a.value for v in s.born.get(atom, {}).values() for a in v if isinstance(a, Literal)}
    return any(isinstance(c, int) and c > 1 for c in counts)


def _is_plain_object(value: Value) -> bool:
    """Whether a term that sounds like a lock is known to be something else: a modelled type, or a semaphore of many."""
    return bool(value) and all(isinstance(a, Instance) and a.cls is None and not a.fqn.endswith("()") for a in value)


def _of_manager(found: Locks, frame: Frame, term: Call) -> str:
    """The lock that a context manager of the program holds while its body yields."""
    made = frame.made.get(term.order)
    for target in made.targets if made is not None else ():
        if not target.info.function.is_generator or target is frame:
            continue
        yields = [order for order in target.info.function.suspends if order in _yields(target)]
        for held in found.held(target):
            if yields and all(held.start < order <= held.end for order in yields):
                return held.reach
    return ""


def _yields(frame: Frame) -> set[int]:
    return {node.order for node in walk(frame.info.function.ops) if isinstance(node, Yield)}


def _is_lock_name(name: str) -> bool:
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower().split("_")
    return any(word in _LOCK_WORDS for word in words)


def _last_name(term: Term) -> str:
    match term:
        case Name(id=name) | Attr(name=name):
            return name
        case Item(base=inner) | Call(func=inner) | Await(value=inner):
            return _last_name(inner)
        case _:
            return ""


def _words(frame: Frame, term: Term) -> tuple[str, Range]:
    span: Range = getattr(term, "span", 0)
    return (frame.info.module.source(span) if span else "", span)
