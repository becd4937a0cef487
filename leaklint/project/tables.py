"""Tables of SQL text and collections of documents: which a call looks into, adds to or changes, and by what.

Structure and values of a solved program. Text that is put together at run time, joins and filters that are computed
say nothing here. Whether what is found is wrong is not known here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from leaklint.index.summary import Attr, Blend, Call, Const, Display, Name, Term
from leaklint.models import TypeModel
from leaklint.project import evaluate
from leaklint.project.spots import parts
from leaklint.project.state import Frame, State
from leaklint.project.values import Literal, Member

_NAME = r'[\w."`\[\]]+'
_PLACE = r"\?|%s|\$\d+|[:@]\w+|%\(\w+\)s"
_SELECT = re.compile(rf"select\s+(?P<columns>.*?)\s+from\s+(?P<table>{_NAME})(\s+where\s+(?P<where>.*))?$")
_INSERT = re.compile(rf"insert\s+into\s+(?P<table>{_NAME})")
_UPDATE = re.compile(rf"update\s+(?P<table>{_NAME})\s+set\s+(?P<set>.*?)\s+where\s+(?P<where>.*)$")
_EQUAL = re.compile(rf"([\w.]+)\s*=\s*({_PLACE})")
_CREATE = re.compile(rf"create\s+(?:temp\w*\s+)?table\s+(?:if\s+not\s+exists\s+)?(?P<table>{_NAME})\s*\(")
_INDEX = re.compile(rf"create\s+unique\s+index\s.*?\son\s+(?P<table>{_NAME})\s*\(")


class Touched(NamedTuple):
    """What a call does with a table or collection."""

    table: str
    verb: str  # "select", "insert" or "update"
    columns: tuple[str, ...]  # what rows are looked for by
    values: tuple[Term, ...]  # and what these are compared with
    sets: tuple[tuple[str, Term], ...]  # columns that get a value of the program, with it
    gives: tuple[str, ...] = ()  # columns that a look-up gives; `*` for all


def touched(s: State, frame: Frame, call: Call, position: int, kind: TypeModel, method: str) -> Touched | None:
    """The table or collection of a call, if it is written out; `None` if it is not, or several are meant."""
    if kind.documents:
        return _of_documents(s, frame, call, position, kind, method)
    for text in texts(s, frame, call, position):
        return _of_statement(text, call)
    return None


def texts(s: State, frame: Frame, call: Call, position: int) -> Iterator[str]:
    """The SQL that a call is given, in lower case and with single spaces; wrappers of texts are looked into."""
    first = call.args[0] if call.args else None
    while isinstance(first, Call) and first.args:
        first = first.args[0]
    if first is None:
        return
    for atom in evaluate.evaluate(s, frame, first, position):
        if isinstance(atom, Literal) and isinstance(atom.value, str):
            yield " ".join(atom.value.lower().split()).rstrip("; ")
    if isinstance(first, Blend):
        yield " ".join(" ".join(str(p.value).lower() for p in first.parts if isinstance(p, Const)).split())


# --- SQL ------------------------------------------------------------------------------------------------------------


def _of_statement(text: str, call: Call) -> Touched | None:
    if found := _SELECT.match(text):
        where = found["where"] or ""
        if " or " in where or " join " in text:
            return None
        asked = _EQUAL.findall(where)
        values = _given(call, text, len(re.findall(_PLACE, text[: found.start("where")])), [p for _, p in asked])
        gives = tuple(_plain(c) for c in found["columns"].split(","))
        return Touched(_plain(found["table"]), "select", tuple(_plain(c) for c, _ in asked), values, (), gives)
    if found := _INSERT.match(text):
        return Touched(_plain(found["table"]), "insert", (), (), ())
    if found := _UPDATE.match(text):
        asked, new = _EQUAL.findall(found["where"]), _EQUAL.findall(found["set"])
        before = len(re.findall(_PLACE, found["set"]))
        values = _given(call, text, before, [p for _, p in asked])
        sets = _given(call, text, 0, [p for _, p in new]) if before == len(new) else ()
        pairs = tuple(zip((_plain(c) for c, _ in new), sets, strict=False))
        return Touched(_plain(found["table"]), "update", tuple(_plain(c) for c, _ in asked), values, pairs)
    return None


def _plain(name: str) -> str:
    return name.strip().rpartition(".")[2].strip('"`[] ')


def _given(call: Call, text: str, before: int, places: list[str]) -> tuple[Term, ...]:
    """The arguments for some placeholders of a statement, of which `before` others come first."""
    rest = call.args[1:]
    packed = rest[0] if len(rest) == 1 and isinstance(rest[0], Display) else None
    if packed is not None and packed.kind == "dict":
        by_name = {k.value: v for k, v in zip(packed.keys, packed.values, strict=True) if isinstance(k, Const)}
        return tuple(
            by_name[name] for p in places if (name := re.sub(r"\W|s$" if p[0] == "%" else r"\W", "", p)) in by_name
        )
    flat = packed.values if packed is not None else rest
    numbered = [int(p[1:]) - 1 if p[0] == "$" else before + i for i, p in enumerate(places)]
    return tuple(flat[at] for at in numbered if at < len(flat))


def may_repeat(s: State, table: str, columns: tuple[str, ...], documents: bool) -> bool:
    """Whether two rows or documents may agree in some columns.

    A table must be made by the program, which says nothing else; of a collection, no index must be unique.
    """
    if documents:
        return "_id" not in columns and not any(_is_indexed(s, table))
    made = False
    for text in _schema(s, table):
        if (found := _INDEX.match(text)) and _plain(found["table"]) == table:
            return False
        if (found := _CREATE.match(text)) and _plain(found["table"]) == table:
            made = True
            for part in _definitions(text[found.end() :]):
                if re.search(r"\bunique\b|\bprimary key\b", part) and any(
                    re.search(rf"\b{c}\b", part) for c in columns
                ):
                    return False
    return made


def _definitions(body: str) -> Iterator[str]:
    """The definitions between the parentheses of a table."""
    depth, start = 0, 0
    for at, letter in enumerate(body):
        depth += (letter == "(") - (letter == ")")
        if depth < 0 or (letter == "," and not depth):
            yield body[start:at]
            start = at + 1
        if depth < 0:
            return


def _schema(s: State, table: str) -> Iterator[str]:
    """The statements in the program that speak of making a table or an index of it."""
    for module in s.program.modules:
        if module.mentions(table) and (module.mentions("create") or module.mentions("CREATE")):
            for info in module.functions:
                for op in info.function.ops:
                    for term in (getattr(op, "value", None), getattr(op, "term", None)):
                        yield from _statements(term) if term is not None else ()


def _statements(term: Term) -> Iterator[str]:
    if isinstance(term, Const) and isinstance(term.value, str):
        yield from (" ".join(part.lower().split()) for part in term.value.split(";"))
    for _, _, inner in parts(term):
        yield from _statements(inner)


# --- documents ------------------------------------------------------------------------------------------------------


def _of_documents(s: State, frame: Frame, call: Call, position: int, kind: TypeModel, method: str) -> Touched | None:
    name = next((name for name in _collections(s, frame, call, position)), "")
    if not name:
        return None
    if method in kind.inserts and method not in kind.writes:
        return Touched(name, "insert", (), (), ())
    wanted = _entries(frame, call.args[0], position) if call.args else {}
    if not wanted:
        return None
    asked, given = tuple(wanted), tuple(wanted.values())
    if method in kind.reads:
        return Touched(name, "select", asked, given, (), ("*",))
    return Touched(name, "update", asked, given, tuple(_replaced(s, frame, call, position)))


def _is_indexed(s: State, table: str) -> Iterator[bool]:
    """Whether calls of the program make a unique index, of this collection or of one that is not known by name."""
    for fqn, calls in s.called.items():
        owner = s.models.type(fqn.rpartition(".")[0])
        for frame, made in calls if (owner is not None and owner.documents) or fqn.startswith(_packages(s)) else ():
            if any(k in s.models.unique and isinstance(v, Const) and v.value is True for k, v in made.term.keywords):
                names = list(_collections(s, frame, made.term, made.position))
                yield not names or table in names


def _packages(s: State) -> tuple[str, ...]:
    """How the names of packages begin that have collections of documents."""
    return tuple(f"{m.name[0].partition('.')[0]}." for model in s.models.models for m in model.type if m.documents)


def _collections(s: State, frame: Frame, call: Call, position: int) -> Iterator[str]:
    if isinstance(call.func, Attr):
        for atom in evaluate.evaluate(s, frame, call.func.base, position):
            if isinstance(atom, Member):
                yield atom.name


def _entries(frame: Frame, term: Term, position: int) -> dict[str, Term]:
    """The entries of a mapping that is written here, or in the one place where its name is bound."""
    if isinstance(term, Name) and term.id in frame.info.function.bound:
        binds, initial = frame.info.reaching(term.id, position)
        if len(binds) == 1 and not initial:
            term = frame.info.function.ops[binds[0]].value  # type: ignore[union-attr]
    if not isinstance(term, Display) or None in term.keys:
        return {}
    pairs = zip(term.keys, term.values, strict=False)
    return {k.value: v for k, v in pairs if isinstance(k, Const) and isinstance(k.value, str)}


def _replaced(s: State, frame: Frame, call: Call, position: int) -> Iterator[tuple[str, Term]]:
    """What an update says of new values; those that the store computes are left out."""
    if len(call.args) < 2:
        return
    said = _entries(frame, call.args[1], position)
    if not said:
        yield "*", call.args[1]
    for key, value in said.items():
        if key not in s.models.computed:
            yield from _entries(frame, value, position).items()
