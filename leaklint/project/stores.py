"""Locks of one process that are the only guard of state which other processes reach: databases, caches, files.

Takes a solved program and gives suspects: a lock, and below it a read of a store and a write that depends on it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from msgspec import Struct, field

from leaklint.index.summary import Attr, Bind, Call, Const, Name, Term, walk
from leaklint.project.locks import Held, Locks
from leaklint.project.program import FunctionInfo
from leaklint.project.routes import Routes
from leaklint.project.spots import conditions, names
from leaklint.project.state import Frame, State
from leaklint.project.suspect import StoreLockSuspect
from leaklint.project.terms import Shape, shape

_FILE = "a file"
_CONNECTIONS = ("connection", "cursor")
_CHANGING = ("insert", "update", "delete", "replace", "merge")
_FRAMES = 40  # callees that are looked into


class Access(NamedTuple):
    """What a call does with a store that other processes reach."""

    store: str  # "redis.Redis", "a file"
    writes: bool
    of: Shape  # of files: which one


class _Calls(Struct):
    """What calls do with stores; callees are looked into once."""

    state: State
    known: dict[Frame, frozenset[Access]] = field(default_factory=dict)
    logs: dict[FunctionInfo, set[Shape]] = field(default_factory=dict)  # files that a function gives to log handlers
    safe: set[Frame] = field(default_factory=set)  # frames that ask the store itself for exclusion

    def of(self, frame: Frame, call: Call) -> frozenset[Access]:
        """What one call of a frame does, its callees included."""
        made = frame.made.get(call.order)
        if made is None:
            return frozenset()
        found = {a for fqn in made.external if (a := _access(self.state, frame, call, made.position, fqn)) is not None}
        inner = (a._replace(of=None) for target in made.targets[:3] for a in self.inside(target))
        return frozenset((*found, *inner))

    def is_of_log(self, frame: Frame, access: Access) -> bool:
        """Whether an access is to a file that the function has log lines written to."""
        info = frame.info
        if info not in self.logs:
            self.logs[info] = {
                shape(info, made.term.args[model.logs_to], made.position)
                for made in frame.made.values()
                for model in map(self.state.models.call, made.external)
                if model is not None and -1 < model.logs_to < len(made.term.args)
            }
        return access.of in self.logs[info]

    def inside(self, frame: Frame) -> frozenset[Access]:
        """What the body of a frame does."""
        if frame not in self.known:
            self.known[frame] = frozenset()  # while it is asked
            if len(self.known) < _FRAMES * 50:
                made = list(frame.made.values())
                self.known[frame] = frozenset().union(*(self.of(frame, m.term) for m in made))
                atomic = any(is_atomic(self.state, m.term) for m in made)
                if atomic or any(t in self.safe for m in made for t in m.targets):
                    self.safe.add(frame)
        return self.known[frame]


def store_locks(s: State, ways: Routes, locks: Locks) -> Iterator[StoreLockSuspect]:
    """All suspects of this kind, one for each lock and function."""
    calls = _Calls(s)
    seen: set[tuple[FunctionInfo, int]] = set()
    for frame in ways.before:
        for lock in locks.held(frame):
            key = (frame.info, lock.start)
            if lock.start < 0:
                continue  # known by the name of a decorator alone, which does not say whose lock it is
            if lock.reach not in ("task", "thread") or key in seen or s.models.serves_alone(_entry_of(ways, frame)):
                continue
            pair = _pair(calls, frame, lock)
            if pair is not None and not _is_guarded_too(locks, frame, lock) and not s.one_process:
                seen.add(key)
                yield _suspect(ways, frame, lock, *pair)


def _entry_of(ways: Routes, frame: Frame) -> object:
    at = frame
    while (step := ways.before[at]) is not None:
        at = step[0]
    return at.entry.model if at.entry is not None else None


def _is_guarded_too(locks: Locks, frame: Frame, lock: Held) -> bool:
    """Whether a lock that reaches further is held over the same steps."""
    return any(h.reach == "machine" and h.start <= lock.start and lock.end <= h.end for h in locks.held(frame))


# --- a read, and a write that depends on it ---------------------------------------------------------------------------


def _pair(calls: _Calls, frame: Frame, lock: Held) -> tuple[Call, Call, str] | None:
    inside = [m for _, m in sorted(frame.made.items()) if lock.start < m.term.order <= lock.end]
    if any(is_atomic(calls.state, m.term) for m in inside):
        return None
    for number, first in enumerate(inside):
        read = {a for a in calls.of(frame, first.term) if not a.writes and not calls.is_of_log(frame, a)}
        if not read or any(a.writes for a in calls.of(frame, first.term)):
            continue
        made_of = derived(frame.info, first.term)
        for second in inside[number + 1 :]:
            written = {a for a in calls.of(frame, second.term) if a.writes}
            both = {w.store for w in written for r in read if (w.store, w.of) == (r.store, r.of)}
            if any(t in calls.safe for m in (first, second) for t in m.targets):
                return None
            if both and depends(frame.info, second.position, made_of):
                return first.term, second.term, sorted(both)[0]
    return None


def derived(info: FunctionInfo, call: Call, cursor: str = "") -> set[str]:
    """The local names that are made of what a call gives, or of what `cursor` hands out after it; itself included."""
    found = {cursor} if cursor else set()
    for op in info.function.ops:
        if not isinstance(op, Bind) or not isinstance(op.target, Name) or (cursor and op.order <= call.order):
            continue
        if holds(op.value, call) or names(op.value) & found:
            found.add(op.target.id)
    return found


def holds(term: Term, call: Call) -> bool:
    """Whether a call is part of a term."""
    return any(node == call for node in walk((term,)))


def depends(info: FunctionInfo, position: int, made_of: set[str]) -> bool:
    """Whether an operation, or what decides that it runs, says one of these names."""
    op = info.function.ops[position]
    terms: list[Term] = [t for t in (getattr(op, "term", None), getattr(op, "value", None)) if t is not None]
    terms += [test for test, _ in conditions(info, position)]
    return any(names(term) & made_of for term in terms)


def is_atomic(s: State, call: Call) -> bool:
    """Whether a call has the store itself see to it that two do not act at once; by its name, whoever is called."""
    name = call.func.name if isinstance(call.func, Attr) else call.func.id if isinstance(call.func, Name) else ""
    if name in s.models.atomic or any(k in s.models.atomic_keywords for k, _ in call.keywords):
        return True
    return any(word in text for text in _texts(call) for word in s.models.atomic_words)


def _texts(call: Call) -> Iterator[str]:
    for arg in call.args:
        if isinstance(arg, Const) and isinstance(arg.value, str):
            yield arg.value.strip().lower()
        elif isinstance(arg, Call):
            yield from _texts(arg)


# --- what a call does -------------------------------------------------------------------------------------------------


def _access(s: State, frame: Frame, call: Call, position: int, fqn: str) -> Access | None:
    owner, _, method = fqn.rpartition(".")
    kind = s.models.type(owner)
    if kind is not None and method in (*kind.reads, *kind.writes):
        base = call.func.base if isinstance(call.func, Attr) else call.func
        return Access(owner, method in kind.writes, shape(frame.info, base, position))
    if kind is not None and kind.database in _CONNECTIONS:
        words = {text.split()[0] for text in _texts(call) if text}
        if words & {"select", *_CHANGING}:
            return Access("a database", not words & {"select"}, None)
    model = s.models.call(fqn)
    if model is not None and model.file_mode and "receiver" not in model.writes_file and call.args:
        writes = any(letter in _mode(call, model.file_mode) for letter in "wax+")
        return Access(_FILE, writes, shape(frame.info, call.args[0], position))
    return None


def _mode(call: Call, where: tuple[str, ...]) -> str:
    for place in where:
        given = call.args[int(place)] if place.isdigit() and int(place) < len(call.args) else None
        given = given or next((v for k, v in call.keywords if k == place), None)
        if isinstance(given, Const) and isinstance(given.value, str):
            return given.value
    return "r"


def _suspect(ways: Routes, frame: Frame, lock: Held, read: Call, write: Call, store: str) -> StoreLockSuspect:
    info, module = frame.info, frame.info.module
    return StoreLockSuspect(
        function=info.qualname,
        span=module.span(lock.span),
        statement=module.span(lock.span),
        route=ways.route(frame),
        lock=lock.text,
        store=store,
        read=module.span(read.span),
        read_text=module.source(read.span),
        write=module.span(write.span),
        write_text=module.source(write.span),
    )
