"""Sibling call paths of one class or module that resolve one id in different ways, as suspects.

Siblings are functions that hand the id to the same callee or client. How one resolves it is a sequence of steps: what
the call was given, then what stands in for it. Siblings agree when the same thing stands in and all of them ask what
they were given first; steps that nothing is known of agree with everything. Nothing here words a finding.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping
from typing import NamedTuple

from leaklint.index.summary import (
    Attr,
    Await,
    Bind,
    Call,
    Choice,
    Const,
    Display,
    Item,
    Kind,
    Name,
    ParamKind,
    Range,
    Return,
    Star,
    Term,
)
from leaklint.project import evaluate
from leaklint.project.ambient import own_params
from leaklint.project.idnames import bare, id_concept, same_id
from leaklint.project.origins import roots
from leaklint.project.outbound import client
from leaklint.project.overrides import Ids, reached
from leaklint.project.program import FunctionInfo
from leaklint.project.routes import Routes
from leaklint.project.spots import Spot, names
from leaklint.project.state import Frame, State
from leaklint.project.suspect import OverrideSuspect, SiblingPath
from leaklint.project.values import Ambient, Literal, Token

_RESOLVED = frozenset(("session", "tenant", "id"))
_CONVERSIONS = ("str", "int", "UUID", "strip")
_DEEP = 5  # names and helpers that are followed
_NOT_COMPARED = ("fresh", "unknown")
_CHOSEN = ("constant", "global")  # named by the author of the path, whatever its siblings do


class Step(NamedTuple):
    """One thing that is asked for an id; two are equal when they mean the same."""

    kind: str  # "given", "own", "ambient", "constant", "global", "fresh" or "unknown"
    what: str


class Path(NamedTuple):
    """How one function resolves the id that it hands on."""

    info: FunctionInfo
    frame: Frame
    spot: Spot  # the call
    key: str
    term: Term  # the id
    span: Range
    steps: tuple[Step, ...]
    dropped: str  # a parameter for this id that is not asked

    @property
    def stands_in(self) -> Step | None:
        """What is taken when the call was given none; `None` when that cannot be."""
        return next((step for step in self.steps if step.kind != "given"), None)


def split_paths(known: Ids, ways: Routes, told: Collection[tuple[str, str]]) -> Iterator[OverrideSuspect]:
    """Classes and modules whose paths disagree, one suspect for each and id.

    Args:
        known: what the program does with ids.
        ways: how requests come to functions.
        told: functions by qualified name and concepts of which another finding tells what is wrong.
    """
    best: dict[tuple[object, str], list[Path]] = {}
    for (owner, key, _), paths in _groups(known, ways).items():
        if len(paths) > len(best.get((owner, key), ())):
            best[owner, key] = paths
    for paths in best.values():
        known_paths = [p for p in paths if not any(step.kind in _NOT_COMPARED for step in p.steps)]
        usual = _usual(known_paths)
        apart = [p for p in known_paths if _differs(known_paths, p, usual)]
        concept = id_concept(known.found.state.models, paths[0].key)
        untold = [p for p in apart if (p.info.qualname, concept) not in told]
        if untold:
            yield _suspect(ways, concept, known_paths, untold[0], usual)


def _usual(paths: list[Path]) -> Step | None:
    """What stands in on most paths; of several, what the first path that asks for an override takes."""
    ranked = Counter(step for p in paths if (step := p.stands_in) is not None and step.kind not in _CHOSEN)
    if not ranked:
        return None
    most = max(ranked.values())
    tied = [p for p in paths if p.stands_in is not None and ranked.get(p.stands_in) == most]
    asking = [p for p in tied if p.steps[0].kind == "given"]
    return (asking or tied)[0].stands_in


def _differs(paths: list[Path], path: Path, usual: Step | None) -> bool:
    chosen = path.stands_in is not None and path.stands_in.kind in _CHOSEN
    if path.dropped:
        return not (chosen and _is_used(path)) and any(_asks(other, path.dropped) for other in paths)
    return path.stands_in is not None and not chosen and path.stands_in != usual


def _is_used(path: Path) -> bool:
    """Whether the function does something else with the id that the path does not ask: it is about two of them."""
    return any(path.dropped in names(term) for op in path.info.function.ops for term in roots(op))


def _asks(path: Path, name: str) -> bool:
    return any(step.kind == "given" and same_id(step.what, name) for step in path.steps)


# --- paths ----------------------------------------------------------------------------------------------------------


def _groups(known: Ids, ways: Routes) -> dict[tuple[object, str, object], list[Path]]:
    """Paths by class or module, id and callee, each function once."""
    groups: dict[tuple[object, str, object], list[Path]] = defaultdict(list)
    functions = reached(known.found, ways)
    for info in sorted(functions, key=lambda i: (i.module.path, i.function.span)):
        if info.function.kind is not Kind.FUNCTION:
            continue
        owner = info.owner.qualname if info.owner is not None else info.module.name
        frame = functions[info]
        handing = any(True for m in frame.made.values() for _ in _handed(known, frame, m.position, m.term))
        for spot in known.found.calls(info) if handing else ():
            assert isinstance(spot.term, Call)
            for callee, key, term in _handed(known, frame, spot.position, spot.term):
                group = groups[owner, bare(key), callee]
                if not any(path.info is info for path in group):
                    group.append(_path(known, info, frame, spot, key, term))
    return groups


def _handed(known: Ids, frame: Frame, position: int, call: Call) -> Iterator[tuple[object, str, Term]]:
    """The ids that a call hands on: to whom, under which name, and what the code says."""
    info = frame.info
    made = frame.made.get(call.order)
    target = made.targets[0].info if made is not None and made.targets else None
    callee = target if target is not None else client(info, call)
    if callee is None or target is info:
        return
    for name, term in (*_positional(target, call), *call.keywords):
        if isinstance(term, Name):
            entries = _entries_of_name(info, term, position)
        else:
            entries = list(_entries(term))
        for key, value in entries if name is None or not _is_id(known, name) else ((name, term),):
            if _is_id(known, key):
                yield callee, key, value


def _positional(target: FunctionInfo | None, call: Call) -> Iterator[tuple[str | None, Term]]:
    params = [p for p in target.function.params if p.kind is not ParamKind.KEYWORD] if target is not None else []
    if target is not None and target.owner is not None and params:
        params = params[1:]
    for index, term in enumerate(call.args):
        if isinstance(term, Star):
            return
        yield (params[index].name if index < len(params) else None), term


def _entries(term: Term) -> Iterator[tuple[str, Term]]:
    """The entries of a dict that is written out, those of dicts in it included."""
    if isinstance(term, Display) and term.kind == "dict":
        for key, value in zip(term.keys, term.values, strict=False):
            if isinstance(key, Const) and isinstance(key.value, str):
                yield key.value, value
                yield from _entries(value)


def _entries_of_name(info: FunctionInfo, term: Name, position: int) -> list[tuple[str, Term]]:
    binds, initial = info.reaching(term.id, position)
    op = info.function.ops[binds[0]] if len(binds) == 1 and not initial else None
    return list(_entries(op.value)) if isinstance(op, Bind) else []


def _is_id(known: Ids, name: str) -> bool:
    return id_concept(known.found.state.models, name) in _RESOLVED


def _path(known: Ids, info: FunctionInfo, frame: Frame, spot: Spot, key: str, term: Term) -> Path:
    steps = tuple(dict.fromkeys(_steps(known.found.state, frame, term, spot.position, None, _DEEP)))
    offered = [p.name for p in info.function.params if p.name in own_params(info) and same_id(p.name, key)]
    dropped = offered[0] if offered and not any(step.kind == "given" for step in steps) else ""
    span = getattr(term, "span", 0) or spot.span
    return Path(info, frame, spot, key, term, span, steps, dropped)


# --- steps ----------------------------------------------------------------------------------------------------------

_Given = Mapping[str, tuple[Step, ...]]


def _steps(s: State, frame: Frame, term: Term, at: int, given: _Given | None, deep: int) -> Iterator[Step]:
    """What is asked for the value of a term, in order; `given` says what a helper's parameters stand for."""
    info = frame.info
    match term:
        case Const(value=value):
            if value is not None and value != "":
                yield Step("constant", repr(value))
        case Await(value=value) | Star(value=value):
            yield from _steps(s, frame, value, at, given, deep)
        case Choice(parts=parts):
            for part in parts:
                yield from _steps(s, frame, part, at, given, deep)
        case Name(id=name) if name in info.function.bound and deep > 0:
            yield from _of_local(s, frame, name, at, given, deep - 1)
        case Call() if deep > 0:
            yield from _of_call(s, frame, term, at, given, deep - 1)
        case Name() | Attr() | Item():
            yield _of_place(s, frame, term, at, given)
        case _:
            yield Step("unknown", "")


def _of_local(s: State, frame: Frame, name: str, at: int, given: _Given | None, deep: int) -> Iterator[Step]:
    binds, initial = frame.info.reaching(name, at)
    if initial:
        yield from _of_parameter(s, frame, name, at, given, deep)
    for position in sorted(binds):
        op = frame.info.function.ops[position]
        if isinstance(op, Bind) and position < at:
            yield from _steps(s, frame, op.value, position, given, deep)


def _of_parameter(s: State, frame: Frame, name: str, at: int, given: _Given | None, deep: int) -> Iterator[Step]:
    default = next((p.default for p in frame.info.function.params if p.name == name), None)
    if given is None:
        yield Step("given", name)
    elif name in given:
        yield from given[name]
        return
    if default is not None:
        yield from _steps(s, frame, default, at, given, deep)


def _of_call(s: State, frame: Frame, call: Call, at: int, given: _Given | None, deep: int) -> Iterator[Step]:
    made = frame.made.get(call.order)
    targets = made.targets if made is not None else ()
    value = evaluate.evaluate(s, frame, call, at)
    if len(targets) == 1 and not targets[0].info.function.is_generator:
        returned = list(_of_helper(s, frame, call, at, targets[0], given, deep))
        if returned and all(step.kind != "unknown" for step in returned):
            yield from returned
            return
    if _last(call.func) in _CONVERSIONS:
        inner = call.args[0] if call.args else getattr(call.func, "base", None)
        yield from _steps(s, frame, inner, at, given, deep) if inner is not None else ()
    elif ambient := sorted(a.holder for a in value if isinstance(a, Ambient)):
        yield Step("ambient", ambient[0])
    elif any(isinstance(a, Token) for a in value):
        yield Step("fresh", "")
    elif not targets and isinstance(call.func, Attr) and given is None and _is_given(frame.info, call.func.base):
        yield Step("given", bare(_key_of(call)))
    else:
        yield Step("unknown", "")


def _of_helper(
    s: State, frame: Frame, call: Call, at: int, target: Frame, given: _Given | None, deep: int
) -> Iterator[Step]:
    """What a function of the program gives back, in the terms of its caller."""
    passed: dict[str, tuple[Step, ...]] = {}
    for name, term in (*_positional(target.info, call), *call.keywords):
        if name is not None:
            passed[name] = tuple(_steps(s, frame, term, at, given, deep))
    for position, op in enumerate(target.info.function.ops):
        if isinstance(op, Return):
            yield from _steps(s, target, op.value, position, passed, deep)


def _of_place(s: State, frame: Frame, term: Name | Attr | Item, at: int, given: _Given | None) -> Step:
    """A module-level name, an attribute of the object, or something in what the call was given."""
    value = evaluate.evaluate(s, frame, term, at)
    if ambient := sorted(a.holder for a in value if isinstance(a, Ambient)):
        return Step("ambient", ambient[0])
    name = _key_of(term)
    root = _root(term)
    params = frame.info.function.params
    if frame.info.owner is not None and params and root == params[0].name:
        return Step("own", bare(name))
    if root in frame.info.function.bound:
        return Step("given", bare(name)) if given is None and _is_given(frame.info, term) else Step("unknown", "")
    constants = [a for a in value if isinstance(a, Literal)]
    if len(constants) == 1 == len(value):
        return Step("constant", repr(constants[0].value))
    return Step("global", f"{root}.{name}") if root else Step("unknown", "")


def _is_given(info: FunctionInfo, term: Term) -> bool:
    return bool(names(term)) and names(term) <= own_params(info)


def _root(term: Term) -> str:
    while isinstance(term, (Attr, Item)):
        term = term.base
    return term.id if isinstance(term, Name) else ""


def _key_of(term: Term) -> str:
    """The last name in a path or look-up: `session_id` of `opts.get("session_id")`."""
    match term:
        case Name(id=name) | Attr(name=name):
            return name
        case Item(key=Const(value=str(name))) | Call(args=(Const(value=str(name)), *_)):
            return name
        case _:
            return ""


def _last(term: Term) -> str:
    return term.name if isinstance(term, Attr) else term.id if isinstance(term, Name) else ""


# --- suspects -------------------------------------------------------------------------------------------------------


def _suspect(ways: Routes, concept: str, paths: list[Path], odd: Path, usual: Step | None) -> OverrideSuspect:
    info, module = odd.info, odd.info.module
    other = next((p for p in paths if p is not odd and p.stands_in == usual and not p.dropped), paths[0])
    return OverrideSuspect(
        function=info.qualname,
        span=module.span(odd.span),
        statement=module.span(info.function.ops[odd.spot.position].span),
        route=ways.route(odd.frame),
        concept=concept,
        override=odd.dropped,
        ambient=_text(odd),
        resolver=_text(other),
        form="split-paths",
        key=odd.key,
        callee=info.owner.qualname if info.owner is not None else module.name,
        paths=tuple(SiblingPath(p.info.qualname, _text(p), p.dropped, p.info.module.span(p.span)) for p in paths),
        name=other.info.qualname,
    )


def _text(path: Path) -> str:
    """How a path says the id; a local name is said by what it was bound to."""
    info, term = path.info, path.term
    said = info.module.source(path.span)
    if not isinstance(term, Name) or term.id not in info.function.bound:
        return said
    binds, initial = info.reaching(term.id, path.spot.position)
    values = [op.value for b in sorted(binds) if isinstance(op := info.function.ops[b], Bind)]
    texts = [info.module.source(span) for v in values if (span := getattr(v, "span", 0))]
    return " or ".join(dict.fromkeys([said, *texts] if initial else texts)) or said
