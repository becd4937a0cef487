"""Calls that send two ids of one concept which come from different sources, as suspects.

Two ids are apart when nothing that one was computed from takes part in the other. Ids of users are left alone: who acts
and whom it concerns are two people.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from leaklint.index.summary import Attr, Bind, Blend, Call, Const, Display, Item, Name, Star, Term, Test
from leaklint.project import evaluate
from leaklint.project.idnames import id_concept, same_id
from leaklint.project.overrides import Ids, reached
from leaklint.project.program import FunctionInfo
from leaklint.project.routes import Routes
from leaklint.project.spots import Spot, parts
from leaklint.project.state import Frame, Made, State
from leaklint.project.suspect import OverrideSuspect, SiblingPath
from leaklint.project.values import Instance

_SENT = frozenset(("session", "tenant", "request", "trace", "id"))
_DEEP = 8


class Sent(NamedTuple):
    """One id in an argument of a call."""

    argument: Term
    key: str
    value: Term | None  # the entry itself, where the code shows it
    sources: frozenset[str]


def split_identities(known: Ids, ways: Routes, told: set[tuple[FunctionInfo, str]]) -> Iterator[OverrideSuspect]:
    """Calls in request code with two ids apart.

    Args:
        known: what the program does with ids.
        ways: how requests come to functions.
        told: functions and concepts of which an ambient id is told already.
    """
    for info, frame in reached(known.found, ways).items():
        pairs = {
            order: pair
            for order, made in frame.made.items()
            if len(made.term.args) + len(made.term.keywords) > 1
            and (pair := _apart(known.found.state, frame, made)) is not None
        }
        for spot in known.found.calls(info) if pairs else ():
            assert isinstance(spot.term, Call)
            pair = pairs.get(spot.term.order)
            if pair is None or (known.found.is_idle(info, spot) and spot.role != "eval"):
                continue
            concept = id_concept(known.found.state.models, pair[0].key)
            if (info, concept) not in told:
                yield _suspect(known, ways, frame, spot, concept, pair)


def _apart(s: State, frame: Frame, made: Made) -> tuple[Sent, Sent] | None:
    asked = _asked(frame.info, made.position, made.term)
    sent = list(_sent(s, frame, made.position, asked)) if len(asked) > 1 else []
    for index, one in enumerate(sent):
        for other in sent[index + 1 :]:
            if other.argument is one.argument or not same_id(one.key, other.key):
                continue
            if one.sources and other.sources and not one.sources & other.sources:
                if not _come_together(frame.info, one, other):
                    return one, other
    return None


def _come_together(info: FunctionInfo, one: Sent, other: Sent) -> bool:
    """Whether both are parts of one parameter, and one of them is only known to be in there: who made it answers."""
    if one.value is not None and other.value is not None:
        return False
    paths = (s for s in (*one.sources, *other.sources) if "@" not in s and s != "getattr()")
    roots = {path.partition(".")[0] for path in paths}
    receiver = info.function.params[0].name if info.owner is not None and info.function.params else ""
    return len(roots) == 1 and roots <= info.param_names - {receiver}


def _asked(info: FunctionInfo, position: int, call: Call) -> list[tuple[str | None, Term]]:
    """The arguments of a call that may be ids or mappings with ids."""
    given = (*[(None, term) for term in call.args], *call.keywords)
    return [(k, v) for k, v in given if not isinstance(v, (Star, Const)) and not _handed_in(info, v, position)]


def _sent(s: State, frame: Frame, position: int, asked: list[tuple[str | None, Term]]) -> Iterator[Sent]:
    """The ids in some arguments of a call, one an argument and name."""
    for keyword, term in asked:
        if keyword is not None and id_concept(s.models, keyword) in _SENT:
            yield Sent(term, keyword, term, frozenset(_sources(frame.info, term, position, "", 0)))
            continue
        for key in _id_entries(s, frame, term, position):
            value = _entry(frame.info, term, position, key)
            yield Sent(term, key, value, frozenset(_sources(frame.info, term, position, key, 0)))


def _handed_in(info: FunctionInfo, term: Term, position: int) -> bool:
    """Whether an argument is a parameter as it came: who made it answers for it."""
    return isinstance(term, Name) and info.reaching(term.id, position)[1]


def _id_entries(s: State, frame: Frame, term: Term, position: int) -> list[str]:
    """Names of ids under which a mapping holds something."""
    found: set[str] = set()
    if isinstance(term, (Blend, Test)) or (isinstance(term, Display) and term.kind != "dict"):
        return []
    for atom in evaluate.evaluate(s, frame, term, position):
        if isinstance(atom, Instance) and atom.fqn == "builtins.dict" and atom in s.heap:
            names = [n[2:-2] for n in s.heap[atom] if n[:2] in ("['", '["')]
            found.update(n for n in names if id_concept(s.models, n) in _SENT)
    return sorted(found)


# --- what an id is computed from ------------------------------------------------------------------------------------


def _sources(info: FunctionInfo, term: Term, position: int, key: str, depth: int) -> Iterator[str]:
    """Symbols of all that takes part in a term, or in its entry under a key: names as bound, paths, calls."""
    if depth > _DEEP:
        return
    match term:
        case Name(id=name):
            yield from _of_name(info, name, position, key, depth)
        case Display(kind="dict", keys=keys, values=values) if key:
            for at, value in zip(keys, values, strict=False):
                if at is None:
                    yield from _sources(info, value, position, key, depth + 1)
                elif isinstance(at, Const) and at.value == key:
                    yield from _sources(info, value, position, "", depth + 1)
        case Attr() | Item():
            if path := _path(term):
                yield path
            if isinstance(term, Item) and isinstance(term.key, Const) and isinstance(term.key.value, str):
                yield from _sources(info, term.base, position, term.key.value, depth + 1)
            elif isinstance(term.base, Call):
                yield from _sources(info, term.base, position, "", depth + 1)
        case Call(func=func):
            yield f"{_path(func) or func}()"
            if isinstance(func, Attr):
                yield from _sources(info, func.base, position, key, depth + 1)
            for role, _, inner in parts(term):
                if role != "func":
                    yield from _sources(info, inner, position, "", depth + 1)
        case Const():
            return
        case _:
            for _, _, inner in parts(term):
                yield from _sources(info, inner, position, key, depth + 1)


def _of_name(info: FunctionInfo, name: str, position: int, key: str, depth: int) -> Iterator[str]:
    binds, initial = info.reaching(name, position)
    if initial:
        yield name
    for bind in binds:
        yield f"{name}@{bind}"
        yield from _sources(info, info.function.ops[bind].value, bind, key, depth + 1)  # type: ignore[union-attr]
    for at, op in enumerate(info.function.ops[:position]):
        match op:
            case Bind(target=Item(base=Name(id=base), key=Const(value=written)), value=value):
                if base == name and key and written == key:
                    yield from _sources(info, value, at, "", depth + 1)


def _path(term: Term) -> str:
    """A dotted path as text."""
    match term:
        case Name(id=name):
            return name
        case Attr(base=base, name=name):
            return f"{head}.{name}" if (head := _path(base)) else ""
        case Item(base=base, key=Const(value=str(name))):
            return f"{head}[{name!r}]" if (head := _path(base)) else ""
        case _:
            return ""


def _entry(info: FunctionInfo, term: Term, position: int, key: str) -> Term | None:
    """The term under a key of a mapping written in this function."""
    if isinstance(term, Name):
        binds, initial = info.reaching(term.id, position)
        if initial or len(binds) != 1:
            return None
        term = info.function.ops[binds[0]].value  # type: ignore[union-attr]
    if isinstance(term, Display):
        for at, value in zip(term.keys, term.values, strict=False):
            if isinstance(at, Const) and at.value == key:
                return value
    return None


# --- suspects -------------------------------------------------------------------------------------------------------


def _suspect(
    known: Ids, ways: Routes, frame: Frame, spot: Spot, concept: str, pair: tuple[Sent, Sent]
) -> OverrideSuspect:
    info, module = frame.info, frame.info.module
    one, other = _text(info, spot, pair[0]), _text(info, spot, pair[1])
    return OverrideSuspect(
        function=info.qualname,
        span=module.span(spot.span),
        statement=module.span(info.function.ops[spot.position].span),
        route=ways.route(frame),
        concept=concept,
        override=other,
        ambient=one,
        resolver=_resolved(known, info, spot, pair[1]) if pair[0].value is not None else "",
        form="split-call",
        key=pair[0].key,
        paths=tuple(_siblings(known, info, spot)),
        source=module.span(span) if (span := getattr(pair[0].value, "span", 0)) else None,
    )


def _resolved(known: Ids, info: FunctionInfo, spot: Spot, sent: Sent) -> str:
    """The call of one of the program's resolvers that an id comes from, as the code writes it; empty if none."""
    term = sent.argument
    while isinstance(term, Name):
        binds, initial = info.reaching(term.id, spot.position)
        if initial or len(binds) != 1:
            return ""
        term = info.function.ops[binds[0]].value  # type: ignore[union-attr]
    resolvers = {r.function.name for found in known.resolvers.values() for r, _ in found}
    stack: list[Term] = [term]
    while stack:
        at = stack.pop()
        if isinstance(at, Call) and _path(at.func).rpartition(".")[2] in resolvers:
            return info.module.source(at.span)
        stack.extend(inner for _, _, inner in parts(at))
    return ""


def _text(info: FunctionInfo, spot: Spot, sent: Sent) -> str:
    """What an id comes from, as the code writes it."""
    term = sent.value if sent.value is not None else sent.argument
    if isinstance(term, Name):
        binds, initial = info.reaching(term.id, spot.position)
        if not initial and len(binds) == 1:
            term = info.function.ops[binds[0]].value  # type: ignore[union-attr]
    span = getattr(term, "span", 0)
    return info.module.source(span) if span else getattr(term, "id", "")


def _siblings(known: Ids, info: FunctionInfo, spot: Spot) -> Iterator[SiblingPath]:
    """The same call in the other methods of the class: what both ids come from there."""
    assert isinstance(spot.term, Call)
    wanted = _path(spot.term.func)
    for method in info.owner.methods.values() if info.owner is not None else ():
        for frame in known.found.frames.get(method, ())[:1]:
            for other in known.found.spots(method):
                if isinstance(other.term, Call) and _path(other.term.func) == wanted:
                    sent = list(
                        _sent(known.found.state, frame, other.position, _asked(method, other.position, other.term))
                    )
                    if len(sent) >= 2:
                        one, two = _text(method, other, sent[0]), _text(method, other, sent[1])
                        yield SiblingPath(method.qualname, one, "", method.module.span(other.span), two)
