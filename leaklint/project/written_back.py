"""Rows of databases that are loaded, changed by what they said, and written back: one of two changes is lost.

Takes what functions do with stores and gives the look-up with the change. A change that the database computes, a row
that is locked or has a version is none; neither is a value that does not depend on the old one. Rows of which a session
or user has many are left out: who changes one of them is rarely two requests at a time. Nothing here words a finding.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from leaklint.index.summary import Attr, Await, Bind, Blend, Call, Display, Eval, How, Item, Name, Range, Star, Term
from leaklint.project import calls
from leaklint.project.program import FunctionInfo, exclusive
from leaklint.project.races import SESSIONS, tells_sessions_apart
from leaklint.project.rows import Row, columns, is_versioned
from leaklint.project.spots import names, parts
from leaklint.project.state import Frame, State
from leaklint.project.store_access import Access, Stores, results
from leaklint.project.stores import holds
from leaklint.project.terms import Shape, shape

_DEEP = 2  # local names that a new value is followed through
_CALLEES = 3  # of one call


class Change(NamedTuple):
    """A column of a row that was looked up gets what was computed from it."""

    read: Access
    row: Row
    column: str
    span: Range  # of the change
    order: int
    saved: int  # the order of the call that writes it back


def changes(stores: Stores, frame: Frame) -> Iterator[Change]:
    """The first change of each row that a function looks up for a session or user."""
    s, function = stores.state, frame.info.function
    for read in stores.accesses(frame):
        if read.writes or read.row is None or not _is_of_one(s, read.row):
            continue
        if isinstance(read.row.cls, str):
            yield from _in_tables(stores, frame, read, read.row)
            continue
        if is_versioned(s, read.row.cls):
            continue
        known = columns(s, read.row.cls)
        rows = _bound_to(frame.info, read.call, known)
        for position, op in enumerate(function.ops):
            match op:
                case Bind(target=Attr(base=Name(id=name), name=column)) if name in rows and column in known:
                    if exclusive(function.blocks, op.block, function.ops[read.position].block):
                        continue
                    if op.order <= read.call.order or not _is_computed(frame.info, op, position):
                        continue
                    saved = _saved(s, frame, read, name, op.order)
                    if saved is not None:
                        yield Change(read, read.row, column, op.span, op.order, saved)
                        break


def _is_of_one(s: State, row: Row) -> bool:
    """Whether a row is the one of a session, user or tenant, and not one of many things that it has."""
    for at, (value, term) in enumerate(row.values):
        named = {row.columns[at]} if at < len(row.columns) else set()
        named |= {name for name in (_last(term),) if name}
        if any(name.strip("_").endswith(s.models.work) for name in named):
            return False
        if not tells_sessions_apart(s, value, term) and not any(s.models.concept(n) in SESSIONS for n in named):
            return False
    return bool(row.values)


def _last(term: Term) -> str:
    match term:
        case Name(id=name) | Attr(name=name):
            return name
        case _:
            return ""


def _bound_to(info: FunctionInfo, call: Call, known: set[str]) -> set[str]:
    """The local names of the row that a look-up gives: what was bound to it, or to what a result of it hands out."""
    found: set[str] = set()
    for op in info.function.ops:
        if isinstance(op, Bind) and isinstance(op.target, Name) and op.how in (How.ASSIGN, How.WITH):
            if _leads_back(op.value, call, found, known):
                found.add(op.target.id)
    return found


def _leads_back(term: Term, call: Call, found: set[str], known: set[str]) -> bool:
    """Whether a term is what the call gives, through methods and awaits, and no column on the way."""
    while term is not call and term != call:
        match term:
            case Name(id=name):
                return name in found
            case Attr(name=name) if name in known:
                return False
            case Call(func=inner) | Attr(base=inner) | Await(value=inner) | Item(base=inner):
                term = inner
            case _:
                return holds(term, call) and not isinstance(term, (Blend, Display))
    return True


# --- what is computed from the old value ------------------------------------------------------------------------------


def _is_computed(info: FunctionInfo, op: Bind, position: int) -> bool:
    assert isinstance(op.target, Attr)
    return op.how is How.AUGMENT or any(
        _mentions(at, op.target) for at in _combined(info, op.value, position) if at is not op.value
    )


def _combined(info: FunctionInfo, term: Term, position: int, deep: int = _DEEP) -> Iterator[Term]:
    """What goes into a sum, a text or a container, through local names."""
    match term:
        case Blend() | Display():
            for _, _, inner in parts(term):
                yield inner.value if isinstance(inner, Star) else inner
                yield from _combined(info, inner, position, deep)
        case Name(id=name) if deep and name in info.function.bound:
            binds, initial = info.reaching(name, position)
            for bind in binds if len(binds) == 1 and not initial else ():
                at = info.function.ops[bind]
                if isinstance(at, Bind) and at.how is How.ASSIGN:
                    yield from _combined(info, at.value, bind, deep - 1)


def _mentions(term: Term, target: Attr) -> bool:
    """Whether a term is the old value, or a choice of it and something else."""
    if isinstance(term, Attr):
        return term.name == target.name and term.base.__class__ is Name and names(term) == names(target)
    return any(_mentions(inner, target) for role, _, inner in parts(term) if role == "part")


# --- where it is written back -----------------------------------------------------------------------------------------


def _saved(s: State, frame: Frame, read: Access, name: str, order: int) -> int | None:
    """The order of the first call behind a change that writes the row back."""
    assert read.row is not None and not isinstance(read.row.cls, str)
    kinds = (s.models.type(fqn) for fqn in calls.mro(s, read.row.cls)[1])
    own = {method for kind in kinds if kind is not None and kind.row for method in kind.inserts}
    for at, made in sorted(frame.made.items()):
        func = made.term.func
        if at <= order or not isinstance(func, (Attr, Name)):
            continue
        if isinstance(func, Attr) and func.name in own and names(func.base) == {name}:
            return at
        if _writes(s, frame, made.external) or any(
            _writes(s, target, inner.external) for target in made.targets[:_CALLEES] for inner in target.made.values()
        ):
            return at
    return None


def _writes(s: State, frame: Frame, external: tuple[str, ...]) -> bool:
    """Whether a call hands what a session of a database has changed to the database."""
    for fqn in external:
        owner, _, method = fqn.rpartition(".")
        kind = s.models.type(owner)
        if kind is not None and method in kind.writes and method not in kind.inserts:
            return True
    return False


# --- tables and collections -------------------------------------------------------------------------------------------


def _in_tables(stores: Stores, frame: Frame, read: Access, row: Row) -> Iterator[Change]:
    """The first later update of the same row by what the look-up gave."""
    info, made_of = frame.info, results(stores.state, frame.info, read)
    held = made_of - names(read.call.func)  # without the cursor
    asked = dict(zip(row.columns, read.key, strict=False))
    itself = shape(info, read.call, read.position)
    for act in stores.accesses(frame):
        if act.row is None or act.row.cls != row.cls or act.call.order <= read.call.order:
            continue
        if not act.sets or dict(zip(act.row.columns, act.key, strict=False)) != asked:
            continue
        for column, value in act.sets:
            from_it = itself in _inside(value) or any(_is_local(part, made_of) for part in _inside(value))
            if not from_it or not _is_of_column(read, column, value):
                continue
            if _is_sum(value) or _is_changed(info, held, read.position, act.position):
                yield Change(read, row, column, act.call.span, act.call.order, act.call.order)
                return


def _inside(value: Shape) -> Iterator[Shape]:
    yield value
    if isinstance(value, tuple):
        for part in value:
            yield from _inside(part)


def _is_local(part: Shape, made_of: set[str]) -> bool:
    return isinstance(part, tuple) and part[:1] == ("local",) and part[3] in made_of


def _is_of_column(read: Access, column: str, value: Shape) -> bool:
    """Whether a new value is made of what the look-up gave for the same column."""
    if column in ("*", *read.gives[:1]) and len(read.gives) == 1:
        return True
    number = read.gives.index(column) if column in read.gives else -1
    for part in _inside(value):
        match part:
            case ("item", _, ("const", _, key)) | ("attr", _, key) | ("part", _, key):
                if key == column or (key == number and not isinstance(key, bool)):
                    return True
            case ("local", _, _, name, _) if name == column:
                return True
    return False


def _is_sum(value: Shape) -> bool:
    """Whether a value is put together of others: a sum, a text, a list."""
    plain = ("const", "free", "param", "local", "attr", "item", "part", "call", "unique", "or", "and", "if")
    return isinstance(value, tuple) and bool(value) and value[0] not in plain


def _is_changed(info: FunctionInfo, made_of: set[str], start: int, end: int) -> bool:
    """Whether what a look-up gave is changed in its place before it is written: `turns.append(x)`, `row["n"] += 1`."""
    for op in info.function.ops[start:end]:
        match op:
            case Bind(target=(Item() | Attr()) as target) if names(target) & made_of:
                return True
            case Bind(target=Name(id=name), how=How.AUGMENT) if name in made_of:
                return True
            case Eval(term=Call(func=Attr(base=base))) if names(base) & made_of:
                return True
    return False
