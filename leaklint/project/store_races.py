"""Look-ups in databases and caches of other processes that another request outdates before the write behind them.

Takes a solved program and gives suspects: a key that is looked up and then set, a row that is looked for and then
added. Nothing asks the store to keep others out, no lock is held, and no unique column refuses the second row. What is
under a lock of the process is told by `stores`. Nothing here words a finding.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from leaklint.index.summary import BlockKind, Call, Const, Range, Return, Term
from leaklint.project import evaluate
from leaklint.project.locks import Locks
from leaklint.project.program import FunctionInfo, within
from leaklint.project.races import MAKING, begins, callee_name, tells_sessions_apart
from leaklint.project.routes import Routes
from leaklint.project.rows import Row, added, looked_for, may_repeat
from leaklint.project.schedule import Schedule
from leaklint.project.spots import conditions, names
from leaklint.project.state import Frame, State
from leaklint.project.stores import derived, holds, is_atomic, is_one_process
from leaklint.project.suspect import RaceForm, RaceSuspect
from leaklint.project.terms import Shape, arguments, shape
from leaklint.project.values import Token

_DEEP = 2  # callees that are looked into
_CALLEES = 3  # of one call
_PERSONAL = ("session", "user", "tenant")


class Access(NamedTuple):
    """What a call of a function does with a store, itself or in a callee."""

    call: Call  # of the function that is looked at
    position: int
    store: str  # the library class
    writes: bool
    key: tuple[Shape, ...]  # of keyed stores: the arguments, in the terms of the function
    row: Row | None
    personal: bool  # the key or a column names a session, a user, a tenant
    caught: bool  # the store's refusal is expected
    value: Term | None  # of keyed writes in the function itself
    said: tuple[str, str]  # the map and key, or the class and columns, as the code writes them
    doer: FunctionInfo
    span: Range


@dataclass
class _Stores:
    """What frames do with stores; each is looked into once."""

    state: State
    known: dict[tuple[Frame, int], tuple[Access, ...]] = field(default_factory=dict)
    safe: dict[Frame, bool] = field(default_factory=dict)

    def accesses(self, frame: Frame, deep: int = _DEEP) -> tuple[Access, ...]:
        """All accesses of a frame, those of its callees included, in order."""
        if (frame, deep) not in self.known:
            self.known[frame, deep] = ()  # while it is asked
            self.known[frame, deep] = tuple(self._accesses(frame, deep))
        return self.known[frame, deep]

    def _accesses(self, frame: Frame, deep: int) -> Iterator[Access]:
        for _, made in sorted(frame.made.items()):
            for fqn in made.external:
                yield from _of_call(self.state, frame, made.term, made.position, fqn)
            for target in made.targets[:_CALLEES] if deep else ():
                if target is frame or target.info.function.is_generator:
                    continue
                given = arguments(frame.info, made.term, made.position, target.info, target.receiver is not None)
                caught = _is_caught(frame.info, made.position)
                for inner in self.accesses(target, deep - 1):
                    key = tuple(_in_terms_of_caller(part, target.info, given) for part in inner.key)
                    yield inner._replace(
                        call=made.term, position=made.position, key=key, value=None, caught=inner.caught or caught
                    )

    def is_safe(self, frame: Frame) -> bool:
        """Whether the frame, or something it calls, asks the store to keep others out."""
        if frame not in self.safe:
            self.safe[frame] = False  # while it is asked
            made = frame.made.values()
            self.safe[frame] = any(is_atomic(self.state, m.term) for m in made) or any(
                self.is_safe(target) for m in made for target in m.targets
            )
        return self.safe[frame]


class Pair(NamedTuple):
    """A look-up and the write that depends on it."""

    read: Access
    act: Access
    form: RaceForm
    sure: bool


def store_races(s: State, ways: Routes, plan: Schedule, locks: Locks) -> Iterator[RaceSuspect]:
    """All suspects of this kind, the first of each function and look-up."""
    stores = _Stores(s)
    one_process = is_one_process(s)
    seen: set[tuple[FunctionInfo, Range]] = set()
    for frame in sorted(ways.before, key=lambda f: ways.distance[f]):
        if not plan.concurrent(frame) or stores.is_safe(frame):
            continue
        for pair in _pairs(stores, frame, locks):
            if one_process and not _interleaves(plan, frame, pair):
                continue
            place = (pair.read.doer, pair.read.span)
            if place not in seen:
                seen.add(place)
                yield _suspect(ways, plan, frame, pair)


def _interleaves(plan: Schedule, frame: Frame, pair: Pair) -> bool:
    return plan.preemptive(frame) or plan.between(frame, pair.read.call.order, pair.act.call.order) is not None


def _pairs(stores: _Stores, frame: Frame, locks: Locks) -> Iterator[Pair]:
    accesses = stores.accesses(frame)
    if not any(a.writes for a in accesses) or locks.around(frame):
        return
    for number, read in enumerate(accesses):
        if read.writes or not read.personal:
            continue
        made_of = derived(frame.info, read.call)
        for act in accesses[number + 1 :]:
            if not act.writes or act.call is read.call or not _is_same(read, act):
                continue
            if locks.over(frame, read.call.order, act.call.order):
                continue
            found = _rows(stores.state, frame, read, act, made_of) or _keys(stores.state, frame, read, act, made_of)
            if found is not None:
                yield Pair(read, act, *found)
                break


def _is_same(read: Access, act: Access) -> bool:
    if read.row is not None or act.row is not None:
        return read.row is not None and act.row is not None and read.row.cls is act.row.cls
    return read.store == act.store and bool(read.key) and act.key[: len(read.key)] == read.key


def _decides(info: FunctionInfo, read: Access, act: Access, made_of: set[str]) -> bool:
    """Whether what was looked up decides that the write is done."""
    tests = [test for test, _ in conditions(info, act.position)]
    return any(names(test) & made_of or holds(test, read.call) for test in tests)


# --- rows -----------------------------------------------------------------------------------------------------------


def _rows(s: State, frame: Frame, read: Access, act: Access, made_of: set[str]) -> tuple[RaceForm, bool] | None:
    """A second row where nothing in the class of the rows refuses it."""
    if read.row is None or act.caught or not _decides(frame.info, read, act, made_of):
        return None
    return (RaceForm.INSERT, False) if may_repeat(s, read.row) else None


def _is_caught(info: FunctionInfo, position: int) -> bool:
    """Whether an exception of an operation, or of one behind it that makes it last, is caught."""
    blocks, op = info.function.blocks, info.function.ops[position]
    return any(b.kind is BlockKind.EXCEPT and b.start > op.order for b in blocks)


# --- keys -----------------------------------------------------------------------------------------------------------


def _keys(s: State, frame: Frame, read: Access, act: Access, made_of: set[str]) -> tuple[RaceForm, bool] | None:
    """What is lost when two set a key that both have looked up; `None` when nothing is."""
    if read.row is not None:
        return None
    info = frame.info
    given = (act.value,) if act.value is not None else (*act.call.args, *(v for _, v in act.call.keywords))
    if any(names(term) & made_of or holds(term, read.call) for term in given):
        return RaceForm.UPDATE, act.value is not None
    if not _decides(info, read, act, made_of):
        return None
    if act.value is not None:
        value = evaluate.evaluate(s, frame, act.value, act.position)
        if any(isinstance(atom, Token) for atom in value):
            return RaceForm.INSERT, True
    later = {callee_name(m.term) for m in frame.made.values() if read.call.order < m.term.order != act.call.order}
    return (RaceForm.INSERT, False) if begins(later, MAKING) or _is_refused(info, read, made_of) else None


def _is_refused(info: FunctionInfo, read: Access, made_of: set[str]) -> bool:
    """Whether a request that finds something is turned away, and not given what is there."""
    function = info.function
    for index, block in enumerate(function.blocks):
        if block.kind is not BlockKind.IF or not block.exits or block.term is None:
            continue
        if not (names(block.term) & made_of or holds(block.term, read.call)):
            continue
        inside = [op for op in function.ops if within(function.blocks, op.block, index)]
        if not any(isinstance(op, Return) and _is_answer(op.value, made_of) for op in inside):
            return True
    return False


def _is_answer(term: Term, made_of: set[str]) -> bool:
    return bool(names(term) & made_of) or not (isinstance(term, Const) or not names(term))


def _in_terms_of_caller(part: Shape, callee: FunctionInfo, given: Mapping[str, Shape]) -> Shape:
    """A shape of a callee with the arguments of the call in the place of its parameters."""
    if not isinstance(part, tuple):
        return part
    match part:
        case ("param", index, path, str(name)) if index == callee.function.index and path == callee.module.path:
            return given.get(name, part)
        case _:
            return tuple(_in_terms_of_caller(inner, callee, given) for inner in part)


# --- accesses -------------------------------------------------------------------------------------------------------


def _of_call(s: State, frame: Frame, call: Call, position: int, fqn: str) -> Iterator[Access]:
    owner, _, method = fqn.rpartition(".")
    kind = s.models.type(owner)
    if kind is None or method not in (*kind.reads, *kind.inserts):
        return
    info, writes = frame.info, method in kind.inserts
    access = Access(
        call, position, owner, writes, (), None, False, _is_caught(info, position), None, ("", ""), info, call.span
    )
    row = added(s, frame, call, position) if writes else looked_for(s, frame, call, position)
    if row is not None:
        personal = any(tells_sessions_apart(s, value, term) for value, term in row.values)
        personal = personal or any(s.models.concept(c) in _PERSONAL for c in row.columns)
        yield access._replace(row=row, personal=personal, said=(row.cls.info.summary.name, ", ".join(row.columns)))
    elif not kind.database and call.args:
        key = evaluate.evaluate(s, frame, call.args[0], position)
        base = getattr(getattr(call.func, "base", None), "span", 0)
        text = getattr(call.args[0], "span", 0)
        yield access._replace(
            key=tuple(shape(info, arg, position) for arg in call.args),
            personal=tells_sessions_apart(s, key, call.args[0]),
            value=call.args[-1] if writes and len(call.args) > 1 else None,
            said=(info.module.source(base) if base else "", info.module.source(text) if text else ""),
        )


# --- suspects -------------------------------------------------------------------------------------------------------


def _suspect(ways: Routes, plan: Schedule, frame: Frame, pair: Pair) -> RaceSuspect:
    info, module = frame.info, frame.info.module
    read, act = pair.read, pair.act
    pause = plan.between(frame, read.call.order, act.call.order)
    return RaceSuspect(
        function=info.qualname,
        span=module.span(read.call.span),
        statement=module.span(info.function.ops[read.position].span),
        route=ways.route(frame),
        place=read.said[0],
        key=read.said[1],
        check=module.source(read.call.span),
        act=act.doer.module.span(act.span),
        act_text=act.doer.module.source(act.span),
        doer=act.doer.qualname,
        form=pair.form,
        pause=module.span(pause.span) if pause is not None else None,
        pause_text=module.source(pause.span) if pause is not None else "",
        threads=plan.preemptive(frame),
        useless="",
        useless_reach="",
        sure=pair.sure,
        store=read.store,
        row=read.row is not None,
    )
