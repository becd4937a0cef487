"""Rows of databases as classes of the program: which a call looks for or adds, by what, and what keeps them apart.

Structure and values of a solved program; which calls look and which add is the models' to say.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from leaklint.index.summary import Attr, Bind, Call, ClassRef, Const, Name, Term, Test
from leaklint.project import calls, evaluate, tables
from leaklint.project.origins import roots
from leaklint.project.spots import parts
from leaklint.project.state import Frame, State, Unique
from leaklint.project.values import ClassValue, Instance, Phase, Value

_KEYS = ("id", "pk", "ident", "id__exact", "pk__exact")


class Row(NamedTuple):
    """Rows of one class, or of the table or collection of one name, and what they are looked for by."""

    cls: ClassValue | str
    columns: tuple[str, ...]
    values: tuple[tuple[Value, Term], ...]  # what the columns are compared with
    by_key: bool = False  # by the primary key, which no two have in common
    documents: bool = False


def looked_for(s: State, frame: Frame, call: Call, position: int) -> Row | None:
    """The rows that a call looks for; `None` unless they are of one class and by columns that it has."""
    terms = [*_of_operation(frame, position), *_statements(frame, call, position)]
    inside = [call, *_statements(frame, call, position)]
    classes = {cls for term in inside for at in _walk(term) for cls in _classes(s, frame, at, position)}
    if len(classes) != 1:
        return None
    cls = classes.pop()
    known = columns(s, cls)
    found: dict[str, tuple[Value, Term]] = {}
    for term in terms:
        for column, value in _compared(s, frame, term, position, cls):
            name = column if column in known else column.removesuffix("_id")
            if name in known:
                found.setdefault(name, (evaluate.evaluate(s, frame, value, position), value))
    if found:
        return Row(cls, tuple(found), tuple(found.values()))
    keys = list(_keys(s, frame, call, position))
    return Row(cls, (), tuple((evaluate.evaluate(s, frame, k, position), k) for k in keys), True) if keys else None


def added(s: State, frame: Frame, call: Call, position: int) -> Row | None:
    """The row that a call adds: the object it is given or called on, or one of the class that it is called on."""
    base = call.func.base if isinstance(call.func, Attr) else call.func
    for term in (*call.args[:1], base):
        for atom in evaluate.evaluate(s, frame, term, position):
            if isinstance(atom, Instance) and atom.cls is not None and atom.phase is Phase.REQUEST:
                return Row(atom.cls, (), ())
    classes = {cls for at in _walk(base) for cls in _classes(s, frame, at, position)}
    return Row(classes.pop(), (), ()) if len(classes) == 1 else None


def may_repeat(s: State, row: Row) -> bool:
    """Whether two rows may agree in the columns: none of them is unique, and nothing is said of several together."""
    if isinstance(row.cls, str):
        return tables.may_repeat(s, row.cls, row.columns, row.documents)
    if row.by_key:
        return False
    for cls in calls.mro(s, row.cls)[0]:
        for name, terms in _class_body(cls):
            said = any(_says_unique(s, term) for term in terms) or name in s.models.unique
            if said and (name in row.columns or name.startswith("__") or "." in name or name in s.models.unique):
                return False
    return not any(_is_kept_apart(s, row.cls, table, row.columns) for table in _tables(s, row.cls))


def is_versioned(s: State, cls: ClassValue) -> bool:
    """Whether the database refuses to change a row that is no longer what it was when it was loaded."""
    for of in calls.mro(s, cls)[0]:
        for name, terms in _class_body(of):
            said = (at for term in terms for at in _walk(term))
            if name in s.models.versioned or any(_names(at) in s.models.versioned for at in said):
                return True
    return False


def _names(term: Term) -> object:
    match term:
        case Name(id=name) | Attr(name=name):
            return name
        case Const(value=str(text)):
            return text
        case _:
            return None


# --- what is compared -----------------------------------------------------------------------------------------------


def _of_operation(frame: Frame, position: int) -> Iterator[Term]:
    op = frame.info.function.ops[position]
    for term in (getattr(op, "value", None), getattr(op, "term", None)):
        if term is not None:
            yield term


def _statements(frame: Frame, call: Call, position: int) -> Iterator[Term]:
    """What the local names among the arguments were bound to: a statement that was written before."""
    for arg in call.args:
        if isinstance(arg, Name) and arg.id in frame.info.function.bound:
            for bind in frame.info.reaching(arg.id, position)[0]:
                op = frame.info.function.ops[bind]
                if isinstance(op, Bind):
                    yield op.value


def _walk(term: Term) -> Iterator[Term]:
    stack = [term]
    while stack:
        at = stack.pop()
        yield at
        stack.extend(inner for _, _, inner in parts(at))


def _classes(s: State, frame: Frame, term: Term, position: int) -> Iterator[ClassValue]:
    if isinstance(term, (Name, Attr)):
        yield from (a for a in evaluate.evaluate(s, frame, term, position) if isinstance(a, ClassValue))


def _compared(s: State, frame: Frame, term: Term, position: int, cls: ClassValue) -> Iterator[tuple[str, Term]]:
    """Columns with what they are compared with: `Row.user_id == user_id`, `filter_by(user_id=user_id)`."""
    for at in _walk(term):
        match at:
            case Test(op="Eq", parts=(one, other)):
                for column, value in ((one, other), (other, one)):
                    if isinstance(column, Attr) and cls in _classes(s, frame, column.base, position):
                        yield column.name, value
            case Call(keywords=keywords):
                yield from ((name.partition("__")[0], value) for name, value in keywords if name)


def _keys(s: State, frame: Frame, call: Call, position: int) -> Iterator[Term]:
    """Primary keys by which a row is looked for: `get(Row, key)`, `Row.objects.get(pk=key)`."""
    first = next(iter(call.args), None)
    if first is not None and any(_classes(s, frame, first, position)):
        yield from call.args[1:2]
    yield from (value for name, value in call.keywords if name in _KEYS)


# --- classes of rows ------------------------------------------------------------------------------------------------


def columns(s: State, cls: ClassValue) -> set[str]:
    """The names that the body of a class of rows binds, those of its bases included."""
    return {name for of in calls.mro(s, cls)[0] for name, _ in _class_body(of)}


def _class_body(cls: ClassValue) -> Iterator[tuple[str, tuple[Term, ...]]]:
    """The names that a class body binds, with annotations and values; those of classes in it as `Meta.name`."""
    module = cls.info.module
    for op in module.functions[cls.info.summary.body].function.ops:
        if not isinstance(op, Bind) or not isinstance(op.target, Name):
            continue
        yield op.target.id, tuple(t for t in (op.annotation, op.value) if t is not None)
        if isinstance(op.value, ClassRef):
            inner = module.functions[module.classes[op.value.index].summary.body].function
            for at in inner.ops:
                if isinstance(at, Bind) and isinstance(at.target, Name):
                    yield f"{op.target.id}.{at.target.id}", (at.target, at.value)


def _tables(s: State, cls: ClassValue) -> Iterator[str]:
    for name, terms in _class_body(cls):
        if name in s.models.tables:
            yield from (term.value for term in terms if isinstance(term, Const) and isinstance(term.value, str))


def _is_kept_apart(s: State, cls: ClassValue, table: str, of: tuple[str, ...]) -> bool:
    """Whether a migration says that no two rows of a table agree in columns, one of the given ones among them."""
    if s.said_unique is None:
        s.said_unique = list(_sayings(s))
    dropped = {c for said in s.said_unique if said.dropped and table in said.tables for c in said.columns}
    gone = dropped - columns(s, cls) if dropped else dropped
    return any(
        _says_of_table(said, table, of) and said.columns.isdisjoint(gone) for said in s.said_unique if not said.dropped
    )


def _sayings(s: State) -> Iterator[Unique]:
    """What is said to be unique anywhere but where it is undone: calls that name a table, and texts of statements."""
    for module in s.program.modules:
        if not any(map(module.mentions, (*s.models.unique, *s.models.dropping, "UNIQUE", "Unique"))):
            continue
        for info in module.functions:
            if info.function.name not in s.models.undoing:
                for at in (at for op in info.function.ops for root in roots(op) for at in _walk(root)):
                    yield from _said(s, at)


def _said(s: State, term: Term) -> Iterator[Unique]:
    match term:
        case Call(func=Attr(name=name), args=(Const(value=table), Const(value=column))) if name in s.models.dropping:
            yield Unique(frozenset((table,)), frozenset((column,)), dropped=True)
        case Call(args=args):
            tables = frozenset(arg.value for arg in args if isinstance(arg, Const))
            inner = (at for at in _walk(term) if isinstance(at, Call)) if tables else ()
            yield from (Unique(tables, _constants(call)) for call in inner if _says_itself_unique(s, call))
        case Const(value=str(text)) if "unique" in text.lower():
            yield Unique(text=text)


def _says_of_table(said: Unique, table: str, columns: tuple[str, ...]) -> bool:
    if table in said.tables:
        return not said.columns.isdisjoint(columns)
    if table not in said.text:
        return False
    on_table = rf"\bunique\b[^;]*?\bon\s+[\w.]*?[\"`]?{re.escape(table)}\b([^;]*)"
    found = re.search(on_table, said.text, re.IGNORECASE)
    return found is not None and any(re.search(rf"\b{column}\b", found[1]) for column in columns)


def _constants(term: Term) -> frozenset[object]:
    return frozenset(at.value for at in _walk(term) if isinstance(at, Const))


def _says_unique(s: State, term: Term) -> bool:
    return any(
        (isinstance(at, Call) and _says_itself_unique(s, at)) or (isinstance(at, Name) and at.id in s.models.unique)
        for at in _walk(term)
    )


def _says_itself_unique(s: State, call: Call) -> bool:
    name = call.func.id if isinstance(call.func, Name) else call.func.name if isinstance(call.func, Attr) else ""
    said = (k for k, value in call.keywords if isinstance(value, Const) and value.value is True)
    return name in s.models.unique or any(k in s.models.unique for k in said)
