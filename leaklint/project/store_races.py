"""Look-ups in databases and caches of other processes that another request outdates before the write behind them.

Takes a solved program and gives suspects: a key that is looked up and then set, a row that is looked for and then
added, or loaded and changed by what it said. Nothing asks the store to keep others out, no lock is held, and no unique
column refuses the second row. What is under a lock of the process is told by `stores`. Nothing here words a finding.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import NamedTuple

from msgspec.structs import replace

from leaklint.index.summary import BlockKind, Call, Const, Name, Range, Return, Term, Test
from leaklint.project import evaluate
from leaklint.project.administrators import asks_for_one
from leaklint.project.locks import Locks
from leaklint.project.many_rows import ManyRows
from leaklint.project.program import FunctionInfo, ancestors, within
from leaklint.project.races import MAKING, begins, callee_name, of_language
from leaklint.project.routes import Routes
from leaklint.project.rows import Row, may_repeat
from leaklint.project.schedule import Schedule
from leaklint.project.sifted import is_sifted
from leaklint.project.spots import conditions, names
from leaklint.project.state import Frame, State
from leaklint.project.store_access import Access, Stores, results
from leaklint.project.stores import holds
from leaklint.project.suspect import RaceForm, RaceSuspect
from leaklint.project.values import ClassValue, Token
from leaklint.project.written_back import Change, changes


class Pair(NamedTuple):
    """A look-up and the write that depends on it."""

    read: Access
    act: Access
    form: RaceForm
    sure: bool


def store_races(s: State, ways: Routes, plan: Schedule, locks: Locks, stores: Stores) -> Iterator[RaceSuspect]:
    """All suspects of this kind, the first of each function and look-up; one for all rows of a class.

    What is missing is missing in the class: a column or several that no two rows have in common.
    """
    rows: dict[tuple[ClassValue | str, RaceForm], list[RaceSuspect]] = defaultdict(list)
    for row, suspect in _all(s, ways, plan, locks, stores):
        if row is None:
            yield suspect
        else:
            rows[row.cls, suspect.form].append(suspect)
    for found in rows.values():
        first, *others = sorted(found, key=lambda one: one.many or one.administrators)
        yield replace(first, also=tuple(sorted(other.span for other in others)))


def _all(
    s: State, ways: Routes, plan: Schedule, locks: Locks, stores: Stores
) -> Iterator[tuple[Row | None, RaceSuspect]]:
    seen: set[tuple[FunctionInfo, Range]] = set()
    many = ManyRows(ways, stores)
    for frame in sorted(ways.before, key=lambda f: ways.distance[f]):
        if not stores.accesses(frame) or not plan.concurrent(frame) or stores.is_safe(frame):
            continue
        for pair in _pairs(stores, frame, locks):
            if s.one_process and not _interleaves(plan, frame, pair):
                continue
            place = (pair.read.doer, pair.read.span)
            if place not in seen:
                seen.add(place)
                yield pair.read.row, _suspect(ways, plan, frame, pair, many.has(frame, pair.read, pair.act))
        for change in changes(stores, frame):
            alone = s.one_process and not plan.preemptive(frame)
            if locks.around(frame) or locks.over(frame, change.read.call.order, change.saved):
                continue
            if alone and plan.between(frame, change.read.call.order, change.saved) is None:
                continue
            place = (change.read.doer, change.read.span)
            if place not in seen:
                seen.add(place)
                yield change.row, _suspect_of_change(ways, plan, frame, change)


def _interleaves(plan: Schedule, frame: Frame, pair: Pair) -> bool:
    return plan.preemptive(frame) or plan.between(frame, pair.read.call.order, pair.act.call.order) is not None


def _pairs(stores: Stores, frame: Frame, locks: Locks) -> Iterator[Pair]:
    accesses = stores.accesses(frame)
    if not any(a.writes for a in accesses) or locks.around(frame):
        return
    for number, read in enumerate(accesses):
        if read.writes or not read.personal:
            continue
        made_of = results(stores.state, frame.info, read)
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
        return read.row is not None and act.row is not None and read.row.cls == act.row.cls
    return read.store == act.store and bool(read.key) and act.key[: len(read.key)] == read.key


def _decides(info: FunctionInfo, read: Access, act: Access, made_of: set[str]) -> bool:
    """Whether what was looked up decides that the write is done."""
    tests = [test for test, _ in conditions(info, act.position)]
    return any(names(test) & made_of or holds(test, read.call) for test in tests)


# --- rows -----------------------------------------------------------------------------------------------------------


def _rows(s: State, frame: Frame, read: Access, act: Access, made_of: set[str]) -> tuple[RaceForm, bool] | None:
    """A second row where nothing in the class of the rows refuses it."""
    if read.row is None or read.new or act.updates or act.caught or not _decides(frame.info, read, act, made_of):
        return None
    if _is_done_if_found(frame.info, read, act, made_of):
        return None
    tests = [test for test, _ in conditions(frame.info, act.position)]
    if read.sifted or is_sifted(frame.info, read.call, made_of, tests):
        return None  # the columns do not say which row is looked for
    return (RaceForm.INSERT, False) if may_repeat(s, read.row) else None


def _is_done_if_found(info: FunctionInfo, read: Access, act: Access, made_of: set[str]) -> bool:
    """Whether a row is added because another was found: an answer to a message, a part of a whole."""
    function = info.function
    op, around = function.ops[act.position], set(ancestors(function.blocks, function.ops[act.position].block))
    for index, block in enumerate(function.blocks):
        if block.term is None or block.kind not in (BlockKind.IF, BlockKind.ELSE):
            continue
        found = _asks_presence(block.term)
        if found is None or not (names(block.term) & made_of or holds(block.term, read.call)):
            continue
        left = block.exits and block.end <= op.order and block.parent in around and index not in around
        if (index in around or left) and found is ((block.kind is BlockKind.IF) is not left):
            return True
    return False


def _asks_presence(term: Term) -> bool | None:
    """Whether a test holds if there is something, or if there is nothing; `None` when it asks more than that."""
    match term:
        case Test(op="not", parts=(inner,)):
            asked = _asks_presence(inner)
            return None if asked is None else not asked
        case Test(op="Is" | "IsNot" as how, parts=(Name() | Call(), Const(value=None))):
            return how == "IsNot"
        case Name() | Call():
            return True
        case _:
            return None


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
    others = (m for m in frame.made.values() if read.call.order < m.term.order != act.call.order)
    later = {callee_name(m.term) for m in others if not of_language(m)}
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


# --- suspects -------------------------------------------------------------------------------------------------------


def _suspect(ways: Routes, plan: Schedule, frame: Frame, pair: Pair, many: bool = False) -> RaceSuspect:
    info, module = frame.info, frame.info.module
    read, act = pair.read, pair.act
    pause = plan.between(frame, read.call.order, act.call.order)
    return RaceSuspect(
        function=info.qualname,
        span=module.span(read.span if read.doer is info else read.call.span),
        statement=module.span(info.function.ops[read.position].span),
        route=ways.route(frame),
        place=read.said[0],
        key=read.said[1],
        check=module.source(read.span if read.doer is info else read.call.span),
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
        many=many,
        administrators=read.row is not None and _only_administrators(ways, info),
    )


def _only_administrators(ways: Routes, info: FunctionInfo) -> bool:
    """Whether every request that comes to a function is an administrator's."""
    entries = set[FunctionInfo]().union(*(ways.entries(frame) for frame in ways.frames_of[info]))
    return bool(entries) and all(asks_for_one(ways.models, entry) for entry in entries)


def _suspect_of_change(ways: Routes, plan: Schedule, frame: Frame, change: Change) -> RaceSuspect:
    """A change is one of the frame's own function, whoever looks the row up."""
    info, module = frame.info, frame.info.module
    pair = Pair(change.read, change.read, RaceForm.UPDATE, False)
    pause = plan.between(frame, change.read.call.order, change.saved)
    return replace(
        _suspect(ways, plan, frame, pair),
        act=module.span(change.span),
        act_text=module.source(change.span),
        doer=info.qualname,
        pause=module.span(pause.span) if pause is not None else None,
        pause_text=module.source(pause.span) if pause is not None else "",
    )
