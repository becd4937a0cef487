"""What functions do with stores that other processes reach: rows they look for and add, keys they look up and set.

Takes solved frames and the models' word on which calls read and write; callees count as their caller's. What is wrong
with it is found elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import NamedTuple

from msgspec import Struct, field

from leaklint.index.summary import Attr, Await, BlockKind, Call, Name, Range, Term
from leaklint.models import TypeModel
from leaklint.project import evaluate
from leaklint.project.new_rows import is_new
from leaklint.project.program import FunctionInfo
from leaklint.project.races import tells_sessions_apart
from leaklint.project.rows import Row, added, looked_for
from leaklint.project.sifted import gives_sifted
from leaklint.project.spots import parts
from leaklint.project.state import Frame, Made, State
from leaklint.project.stores import derived, is_atomic
from leaklint.project.tables import Touched, texts, touched
from leaklint.project.terms import Shape, arguments, shape

_DEEP = 2  # callees that are looked into
_CALLEES = 3  # of one call
_STATEMENTS = ("connection", "cursor")  # of databases: they take SQL
_PERSONAL = ("session", "user", "tenant")


class Access(NamedTuple):
    """What a call of a function does with a store, itself or in a callee."""

    call: Call  # of the function that is looked at
    position: int
    store: str  # the library class
    writes: bool
    key: tuple[Shape, ...]  # the arguments, or what columns are compared with, in the terms of the function
    row: Row | None
    personal: bool  # the key or a column names a session, a user, a tenant
    caught: bool  # the store's refusal is expected
    value: Term | None  # of keyed writes in the function itself
    said: tuple[str, str]  # the map and key, or the class and columns, as the code writes them
    doer: FunctionInfo
    span: Range  # of the whole expression: `db.query(Row).filter(...).first()`
    sets: tuple[tuple[str, Shape], ...] = ()  # of updates: columns that get a value of the program, with it
    updates: bool = False  # it changes what is there, and adds nothing
    gives: tuple[str, ...] = ()  # of look-ups in tables: the columns they give; `*` for all
    fills: tuple[tuple[str, Shape], ...] = ()  # of added rows: columns that the program gives a value, with it
    own: Call | None = None  # the call of `doer` itself
    new: bool = False  # of look-ups of rows: by an id that the request has just made, which no other looks for
    sifted: bool = False  # of look-ups of rows: a callee chose from what was found


class Stores(Struct, dict=True):
    """What frames do with stores; each is looked into once."""

    state: State
    known: dict[tuple[Frame, int], tuple[Access, ...]] = field(default_factory=dict)
    safe: dict[Frame, bool] = field(default_factory=dict)

    def accesses(self, frame: Frame, deep: int = _DEEP) -> tuple[Access, ...]:
        """All accesses of a frame, those of its callees included, in order."""
        if frame not in self._leading:
            return ()
        if (frame, deep) not in self.known:
            self.known[frame, deep] = ()  # while it is asked
            self.known[frame, deep] = tuple(self._accesses(frame, deep))
        return self.known[frame, deep]

    @cached_property
    def _leading(self) -> set[Frame]:
        """Frames that call a store, and those that lead to one over as many calls as are looked into."""
        called = self.state.called
        found = {frame for fqn, calls in called.items() if _store_of(self.state, fqn) for frame, _ in calls}
        nearest = found
        for _ in range(_DEEP):
            nearest = {caller for frame in nearest for caller in frame.callers} - found
            found |= nearest
        return found

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
                    sets = tuple((c, _in_terms_of_caller(part, target.info, given)) for c, part in inner.sets)
                    fills = tuple((c, _in_terms_of_caller(part, target.info, given)) for c, part in inner.fills)
                    yield inner._replace(
                        call=made.term,
                        position=made.position,
                        key=key,
                        value=None,
                        caught=inner.caught or caught,
                        sets=sets,
                        fills=fills,
                        sifted=inner.sifted or self._is_sifted(target.info, inner),
                    )

    def _is_sifted(self, info: FunctionInfo, read: Access) -> bool:
        if read.writes or read.row is None or not read.personal:
            return False
        return gives_sifted(info, read.call, results(self.state, info, read))

    def is_safe(self, frame: Frame) -> bool:
        """Whether the frame, or something it calls, asks the store to keep others out."""
        if frame not in self.safe:
            self.safe[frame] = False  # while it is asked
            made = frame.made.values()
            self.safe[frame] = (
                any(is_atomic(self.state, m.term) for m in made)
                or any(_says_so(self.state, frame, m) for m in made)
                or any(self.is_safe(target) for m in made for target in m.targets)
            )
        return self.safe[frame]


def _says_so(s: State, frame: Frame, made: Made) -> bool:
    """Whether a call gives a database a statement that keeps others out."""
    kinds = (s.models.type(fqn.rpartition(".")[0]) for fqn in made.external)
    if not any(kind is not None and kind.database for kind in kinds):
        return False
    return any(word in text for text in texts(s, frame, made.term, made.position) for word in s.models.atomic_words)


def results(s: State, info: FunctionInfo, read: Access) -> set[str]:
    """The local names that are made of what a look-up gives; cursors hand it out later."""
    kind, func = s.models.type(read.store), read.call.func
    own = read.doer is info and kind is not None and kind.database == "cursor"
    cursor = func.base.id if own and isinstance(func, Attr) and isinstance(func.base, Name) else ""
    return derived(info, read.call, cursor)


def _is_caught(info: FunctionInfo, position: int) -> bool:
    """Whether an exception of an operation, or of one behind it that makes it last, is caught."""
    blocks, op = info.function.blocks, info.function.ops[position]
    return any(b.kind is BlockKind.EXCEPT and b.start >= op.order for b in blocks)


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


def _store_of(s: State, fqn: str) -> TypeModel | None:
    """The model of the store that a library name reads or adds to."""
    owner, _, method = fqn.rpartition(".")
    kind = s.models.type(owner)
    if kind is None or kind.database in _STATEMENTS:
        return kind
    return kind if method in (*kind.reads, *kind.inserts, *(kind.writes if kind.documents else ())) else None


def _of_call(s: State, frame: Frame, call: Call, position: int, fqn: str) -> Iterator[Access]:
    kind = _store_of(s, fqn)
    if kind is None:
        return
    owner, _, method = fqn.rpartition(".")
    info, writes = frame.info, method in kind.inserts
    access = Access(
        call,
        position,
        owner,
        writes,
        (),
        None,
        False,
        _is_caught(info, position),
        None,
        ("", ""),
        info,
        _whole(info, call, position),
    )
    row = added(s, frame, call, position) if writes else looked_for(s, frame, call, position)
    if row is None and (table := touched(s, frame, call, position, kind, method)) is not None:
        yield _of_table(s, frame, access, table, kind.documents)
    elif row is not None and not isinstance(row.cls, str):
        personal = any(tells_sessions_apart(s, value, term) for value, term in row.values)
        personal = personal or any(s.models.concept(c) in _PERSONAL for c in row.columns)
        key = tuple(shape(info, term, position) for _, term in row.values)
        yield access._replace(
            row=row,
            key=key,
            personal=personal,
            said=(row.cls.info.summary.name, ", ".join(row.columns) or _said(info, row)),
            fills=tuple(_fills(info, call, position)) if writes else (),
            own=call,
            new=any(is_new(s, frame, term, value, position) for value, term in row.values),
        )
    elif not kind.database and call.args:
        given = evaluate.evaluate(s, frame, call.args[0], position)
        base = getattr(getattr(call.func, "base", None), "span", 0)
        text = getattr(call.args[0], "span", 0)
        yield access._replace(
            key=tuple(shape(info, arg, position) for arg in call.args),
            personal=tells_sessions_apart(s, given, call.args[0]),
            value=call.args[-1] if writes and len(call.args) > 1 else None,
            said=(info.module.source(base) if base else "", info.module.source(text) if text else ""),
        )


def _of_table(s: State, frame: Frame, access: Access, table: Touched, documents: bool) -> Access:
    info, position = frame.info, access.position
    values = tuple((evaluate.evaluate(s, frame, term, position), term) for term in table.values)
    personal = any(tells_sessions_apart(s, value, term) for value, term in values)
    return access._replace(
        writes=table.verb != "select",
        new=any(is_new(s, frame, term, value, position) for value, term in values),
        row=Row(table.table, table.columns, values, False, documents),
        key=tuple(shape(info, term, position) for term in table.values),
        personal=personal or any(s.models.concept(c) in _PERSONAL for c in table.columns),
        said=(table.table, ", ".join(table.columns)),
        sets=tuple((column, shape(info, term, position)) for column, term in table.sets),
        updates=table.verb == "update",
        gives=table.gives,
    )


def _fills(info: FunctionInfo, call: Call, position: int) -> Iterator[tuple[str, Shape]]:
    """The columns that an added row is made with: `add(Row(user_id=user_id))`, `create(user_id=user_id)`."""
    base = call.func.base if isinstance(call.func, Attr) else call.func
    for term in (call, *call.args[:1], base):
        made, at = term, position
        if isinstance(term, Name) and len(binds := info.reaching(term.id, position)[0]) == 1:
            made, at = info.function.ops[binds[0]].value, binds[0]  # type: ignore[union-attr]
        if isinstance(made, Call):
            yield from ((name, shape(info, value, at)) for name, value in made.keywords if name)


def _said(info: FunctionInfo, row: Row) -> str:
    """The primary key as the code writes it."""
    span = next((found for _, term in row.values if (found := getattr(term, "span", 0))), 0)
    return info.module.source(span) if span else ""


def _whole(info: FunctionInfo, call: Call, position: int) -> Range:
    """The range of the expression that goes on from a call: `.filter(...).first()`."""
    op = info.function.ops[position]
    stack = [t for t in (getattr(op, "value", None), getattr(op, "term", None)) if t is not None]
    while stack:
        term = stack.pop()
        if isinstance(term, Call) and _goes_on_from(term, call):
            return term.span
        stack.extend(inner for _, _, inner in parts(term))
    return call.span


def _goes_on_from(term: Term, call: Call) -> bool:
    while term is not call and term != call:
        match term:
            case Call(func=inner) | Attr(base=inner) | Await(value=inner):
                term = inner
            case _:
                return False
    return True
