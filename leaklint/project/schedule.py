"""Where another request may run between two steps of a function: at real awaits, or anywhere in a thread.

Takes solved frames and what models say of entry points and borders. What the steps do, and whether a lock is held
over them, is not known here.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from msgspec import Struct, field

from leaklint.index.summary import Await, Block, Call, Op, Range, Yield, walk
from leaklint.project.program import FunctionInfo, ancestors, exclusive, within
from leaklint.project.routes import Routes, concurrency
from leaklint.project.state import Frame, State
from leaklint.project.terms import calls_in

_LOOP, _POOL = "loop", "pool"
_LANES = 3  # ways to run a frame that are told apart


class Wait(NamedTuple):
    """A point of a body that gives control back to the event loop."""

    order: int
    span: Range
    block: int


class Lane(NamedTuple):
    """How a frame is run: on the loop or in a pool, and the function whose requests take turns, if they do."""

    kind: str
    turns: FunctionInfo | None


class Schedule(Struct):
    """How the frames that requests reach are run; `suspensions` are worked out once a frame."""

    state: State
    kinds: dict[Frame, set[Lane]]
    _real: dict[Frame, tuple[Wait, ...]] = field(default_factory=dict)
    _asked: set[Frame] = field(default_factory=set)

    def preemptive(self, frame: Frame) -> bool:
        """Whether the frame runs in a thread of its own, beside others of the same process."""
        return any(lane.kind == _POOL for lane in self.kinds.get(frame, ()))

    def on_loop(self, frame: Frame) -> bool:
        """Whether the frame runs on an event loop."""
        return any(lane.kind == _LOOP for lane in self.kinds.get(frame, ()))

    def concurrent(self, frame: Frame) -> bool:
        """Whether another request of the same process may run in the middle of the frame at all."""
        lanes = self.kinds.get(frame, set())
        return any(lane.turns is None for lane in lanes) or len({lane.turns for lane in lanes}) > 1

    def suspensions(self, frame: Frame) -> tuple[Wait, ...]:
        """The points of the frame's body that give control back to the event loop."""
        known = self._real.get(frame)
        if known is None:
            self._asked.add(frame)
            known = tuple(_suspensions(self, frame))
            self._asked.discard(frame)
            self._real[frame] = known
        return known

    def between(self, frame: Frame, start: int, end: int) -> Wait | None:
        """The first point after `start` and before `end` at which the frame suspends on its way to `end`.

        Both are orders of the function.
        """
        blocks = frame.info.function.blocks
        goal = _block_at(frame, end)
        for wait in self.suspensions(frame):
            if (
                start < wait.order <= end
                and not exclusive(blocks, wait.block, goal)
                and not _leaves(blocks, wait.block, goal)
            ):
                return wait
        return None

    def suspends(self, frame: Frame) -> bool:
        """Whether the frame gives control back before it is done; recursion alone does not."""
        return frame not in self._asked and bool(self.suspensions(frame))


def schedule(s: State, ways: Routes) -> Schedule:
    """How each frame that a request reaches is run, by the ways on which it is reached."""
    callees: dict[Frame, list[tuple[Frame, Call]]] = defaultdict(list)
    for frame in ways.before:
        for caller, call in frame.callers.items():
            callees[caller].append((frame, call))
    kinds: dict[Frame, set[Lane]] = {}
    work: deque[Frame] = deque()
    for frame in ways.before:
        if frame.entry is not None and concurrency(frame) in (_LOOP, _POOL):
            turns = frame.info if _takes_turns(s, frame.entry.model.turns) else None
            _add(kinds, work, frame, concurrency(frame), turns)
    while work:
        caller = work.popleft()
        for callee, call in callees[caller]:
            for lane in tuple(kinds[caller]):
                _add(kinds, work, callee, _kind_of_call(s, caller, callee, call, lane.kind), lane.turns)
    return Schedule(s, kinds)


def _takes_turns(s: State, unless: tuple[str, ...]) -> bool:
    """Whether requests of one function wait for each other: no call of the program says otherwise by a keyword."""
    return bool(unless) and not any(
        keyword in unless
        for module in s.program.modules
        if any(module.mentions(name) for name in unless)
        for info in module.functions
        for call in calls_in(info.function.ops)
        for keyword, _ in call.keywords
    )


def _add(
    kinds: dict[Frame, set[Lane]], work: deque[Frame], frame: Frame, kind: str, turns: FunctionInfo | None
) -> None:
    known = kinds.setdefault(frame, set())
    lane = Lane(kind, turns if len(known) < _LANES else None)
    if kind and lane not in known and Lane(kind, None) not in known:
        known.add(lane)
        work.append(frame)


def _kind_of_call(s: State, caller: Frame, callee: Frame, call: Call, kind: str) -> str:
    """How a callee runs: as its caller does, unless a border or the framework that provides arguments moves it."""
    is_async = callee.info.function.is_async
    if callee in s.filled and callee.entry is None:
        return _LOOP if is_async else _POOL
    if is_async and not caller.info.function.is_async:
        return _LOOP  # a thread hands its coroutines to a loop
    made = caller.made.get(call.order)
    borders = {m.border for f in (made.external if made else ()) if (m := s.models.call(f)) is not None}
    if "process" in borders:
        return ""
    if "thread" in borders and not is_async:
        return _POOL
    return kind


# --- points at which a coroutine waits ------------------------------------------------------------------------------


def _suspensions(plan: Schedule, frame: Frame) -> Iterator[Wait]:
    function = frame.info.function
    waits = dict(_waits(function.ops))
    for order in function.suspends:
        term = waits.get(order)
        if isinstance(term, Await) and not _is_real(plan, frame, term):
            continue
        yield Wait(order, _span_at(frame, order, term), _block_at(frame, order))


def _waits(ops: Iterable[Op]) -> Iterator[tuple[int, Await | Yield]]:
    return ((node.order, node) for node in walk(ops) if isinstance(node, (Await, Yield)))


def _is_real(plan: Schedule, frame: Frame, term: Await) -> bool:
    """Whether an await can give control back: not when all it runs is code of the program that never waits."""
    if not isinstance(term.value, Call):
        return True
    made = frame.made.get(term.value.order)
    if made is None or not made.targets or made.external:
        return True
    for target in made.targets:
        function = target.info.function
        if not function.is_async or function.stub or function.is_generator or plan.suspends(target):
            return True
    return False


def _span_at(frame: Frame, order: int, term: Await | Yield | None) -> Range:
    span = getattr(getattr(term, "value", None), "span", 0)
    if span:
        return int(span)
    return next((op.span for op in frame.info.function.ops if op.order >= order), frame.info.function.head)


def _block_at(frame: Frame, order: int) -> int:
    """The block of the operation that an order belongs to."""
    return next((op.block for op in frame.info.function.ops if op.order >= order), 0)


def _leaves(blocks: tuple[Block, ...], block: int, goal: int) -> bool:
    """Whether control that comes through `block` ends the function or the round there, and never gets to `goal`."""
    return any(blocks[b].exits and not within(blocks, goal, b) for b in ancestors(blocks, block))
