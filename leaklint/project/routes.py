"""The way of a request to a function: shortest paths from entry points over resolved calls."""

from __future__ import annotations

from collections import defaultdict, deque
from functools import cached_property

from msgspec import Struct

from leaklint.index.summary import Call
from leaklint.models import Models
from leaklint.project.conditional import is_for_tests
from leaklint.project.library import ACCOUNT, LIBRARY, is_making
from leaklint.project.program import FunctionInfo
from leaklint.project.state import Frame, State
from leaklint.project.suspect import Entry, Hop, Route
from leaklint.project.values import Phase


class Routes(Struct, dict=True):
    """Predecessors on shortest paths, by frame."""

    before: dict[Frame, tuple[Frame, Call] | None]
    distance: dict[Frame, int]
    models: Models

    def reached(self, frame: Frame) -> bool:
        """Whether a request can come here."""
        return frame in self.before

    @cached_property
    def frames_of(self) -> dict[FunctionInfo, list[Frame]]:
        """The frames of each function that a request can come to, nearest first."""
        found: dict[FunctionInfo, list[Frame]] = defaultdict(list)
        for frame in self.before:
            found[frame.info].append(frame)
        return dict(found)

    def route(self, frame: Frame) -> Route:
        """The shortest known way of a request to a frame."""
        hops: list[Hop] = []
        at = frame
        while (step := self.before[at]) is not None:
            caller, call = step
            span = caller.info.module.span(call.span)
            hops.append(Hop(span, caller.info.qualname, at.info.qualname))
            at = caller
        return Route(entry(at, self.models), tuple(reversed(hops)), max(0, len(self.entries(frame)) - 1))

    def entries(self, frame: Frame) -> set[FunctionInfo]:
        """The entry points that come to a frame."""
        seen = {frame}
        found: set[FunctionInfo] = set()
        work = [frame]
        while work and len(seen) < 2000:
            at = work.pop()
            if at.entry is not None:
                found.add(at.info)
            for caller in at.callers:
                if caller not in seen and caller.phase is Phase.REQUEST:
                    seen.add(caller)
                    work.append(caller)
        return found


def routes(s: State, check_tests: bool = False) -> Routes:
    """Shortest paths from all request entry points; those that are there for tests only where these are checked."""
    callees: dict[Frame, list[tuple[Frame, Call]]] = defaultdict(list)
    for frame in s.frames:
        for caller, call in frame.callers.items():
            callees[caller].append((frame, call))
    starts = [f for f in s.entries if f.phase is Phase.REQUEST and not is_making(f)]
    if not check_tests:
        starts = [f for f in starts if not is_for_tests(s.models, f.info)]
    starts.sort(
        key=lambda f: (not f.entry.model.certain if f.entry else True, f.info.module.path, f.info.function.head)
    )
    before: dict[Frame, tuple[Frame, Call] | None] = dict.fromkeys(starts)
    distance = dict.fromkeys(starts, 0)
    work = deque(starts)
    while work:
        at = work.popleft()
        for callee, call in callees[at]:
            if callee not in before and callee.phase is Phase.REQUEST:
                before[callee] = (at, call)
                distance[callee] = distance[at] + 1
                work.append(callee)
    return Routes(before, distance, s.models)


def entry(frame: Frame, models: Models) -> Entry:
    """What a finding says of an entry point."""
    assert frame.entry is not None
    point, info = frame.entry, frame.info
    return Entry(
        label=point.label,
        function=info.qualname,
        span=info.module.span(info.function.head),
        concurrency=concurrency(frame),
        certain=point.model.certain,
        assumed=point.model in (LIBRARY, ACCOUNT),
        account=point.model is ACCOUNT,
        homes=models.homes_of(point.model),
    )


def concurrency(frame: Frame) -> str:
    """Where an entry point runs: an event loop, a thread pool or one task per process."""
    assert frame.entry is not None
    kind = frame.entry.model.concurrency
    if kind == "auto":
        return "loop" if frame.info.function.is_async else "pool"
    return kind
