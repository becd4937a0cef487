"""Where request code uses something as an id: as a key of shared state, or handed to code outside of the program.

Syntax finds the occurrences of a function once; the solved frame says what each of them is and what becomes of it.
Comparisons and log lines are no use, and what goes on to a function of the program is used there or nowhere.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from msgspec import Struct

from leaklint.index.summary import (
    LEAVES,
    Attr,
    Await,
    Bind,
    Blend,
    Call,
    Choice,
    Const,
    Display,
    Item,
    Name,
    Op,
    ParamKind,
    Part,
    Range,
    Return,
    Star,
    Term,
    Test,
    Yield,
)
from leaklint.models import CallModel, Models
from leaklint.project import evaluate
from leaklint.project.lifetimes import Lifetimes, isolated
from leaklint.project.origins import children
from leaklint.project.program import FunctionInfo
from leaklint.project.routes import Routes
from leaklint.project.state import Frame, Made, State
from leaklint.project.values import ANYTHING, NOTHING, Atom, Instance, Literal, Member, Token, Value

_IDENTIFYING = ("session", "user", "tenant", "id")
_ENDINGS = ("id", "uuid", "hash", "key", "sid")
_OF_PROGRAMS = ("client_id", "run_id", "uid", "account_id")  # ids of applications, machines and their users
_OF_FIELDS = ("_KEY", "_NAME", "_HEADER", "_FIELD", "_COLUMN", "_COOKIE", "_PARAM")  # constants that name a field
_CONVERSIONS = ("str", "int", "repr", "UUID", "quote", "encode", "lower", "strip", "hash")
_LABELLING = ("debug", "info", "warning", "warn", "error", "exception", "critical", "log", "print", "labels", "bind")
_LABELLING_PREFIXES = ("log", "set_tag", "set_attribute", "add_event", "capture", "record", "track", "emit_metric")
_RAISED = ("Error", "Exception", "Warning", "Response")


class Occurrence(Struct, frozen=True):
    """A term that stands for an id, by its own name or by that of the keyword, key or map it goes to."""

    term: Term
    name: str
    concept: str
    position: int
    context: Context


class Context(Struct, frozen=True):
    """What consumes a term: `kind` is "argument", "key", "entry", "return" or empty."""

    kind: str
    term: Any = None  # the consuming call or subscript
    role: str | int = ""
    outer: Any = None  # of entries: what consumes the dict


class IdUse(NamedTuple):
    """A use of a value as an id."""

    frame: Frame
    occurrence: Occurrence
    value: Value
    text: str  # "key of `self.sessions`"
    kept: bool  # it selects state or leaves the program; False when it is only given back to the client

    @property
    def span(self) -> Range:
        return getattr(self.occurrence.term, "span", 0) or self.frame.info.function.ops[self.occurrence.position].span


_NOWHERE, _RETURNED = Context(""), Context("return")


def id_concept(models: Models, name: str) -> str:
    """What a name identifies one of: a `session` for `thread_id`; nothing for `user`, `client_id` or `model`."""
    concept = models.concept(name)
    if concept not in _IDENTIFYING or (name.isupper() and name.endswith(_OF_FIELDS)):
        return ""
    plain = name.lower().strip("_")
    if not plain.endswith(_ENDINGS) or (plain.endswith(_OF_PROGRAMS) and not plain.endswith("uuid")):
        return ""
    return concept


def map_concept(models: Models, name: str) -> str:
    """The concept of the keys of a map by its name: `session` for `conversations`."""
    plain = name.lower().strip("_")
    for ending in ("_by_id", "_store", "_map", "_cache", "_registry"):
        plain = plain.removesuffix(ending)
    if not plain.endswith("s") or plain.endswith("ss"):
        return ""
    found = models.concept(f"{plain[:-1].rpartition('_')[2]}_id")
    return found if found == "session" else ""


def uses(s: State, lives: Lifetimes, ways: Routes) -> Iterator[IdUse]:
    """All uses in frames that a request reaches."""
    known: dict[FunctionInfo, tuple[Occurrence, ...]] = {}
    for frame in ways.before:
        info = frame.info
        if info not in known:
            known[info] = _occurrences(s.models, info)
        for occurrence in known[info]:
            found = _use(s, lives, frame, occurrence)
            if found is not None:
                yield found
    if carriers := _carriers(s):
        for frame in ways.before:
            yield from _carried(s, frame, carriers)


def uses_in(s: State, lives: Lifetimes, frame: Frame) -> Iterator[IdUse]:
    """The uses in one frame, handing on to another function of the program among them."""
    for occurrence in _occurrences(s.models, frame.info):
        found = _use(s, lives, frame, occurrence, handed_on=True)
        if found is not None:
            yield found


# --- occurrences: syntax --------------------------------------------------------------------------------------------


def _occurrences(models: Models, info: FunctionInfo) -> tuple[Occurrence, ...]:
    found: list[Occurrence] = []
    for position, op in enumerate(info.function.ops):
        for term, context in _starts(op):
            if context.kind or term.__class__ not in LEAVES:
                _visit(models, term, context, position, found)
    return tuple(found)


def _starts(op: Op) -> Iterator[tuple[Term, Context]]:
    if op.__class__ is Bind:
        name = _stored_name(op.target)
        yield op.value, Context("entry", None, name) if name else _NOWHERE
        yield op.target, _NOWHERE
    elif op.__class__ is Return:
        yield op.value, _RETURNED
    else:
        yield getattr(op, "term", None) or op.target, _NOWHERE  # type: ignore[union-attr]


def _stored_name(target: Term) -> str:
    match target:
        case Item(key=Const(value=str(name))):
            return name
        case _:
            return ""


def _visit(models: Models, term: Term, context: Context, position: int, found: list[Occurrence]) -> None:
    if context.kind:
        name = _name_of(term)
        if name and (concept := id_concept(models, name)):
            found.append(Occurrence(term, name, concept, position, context))
        elif named := _named_by(models, context):
            found.append(Occurrence(term, named[0], named[1], position, context))
            context = _NOWHERE
    while term.__class__ is Attr:  # nothing consumes what an attribute belongs to
        term, context = term.base, _NOWHERE
    for role, child in children(term):
        inner = _context(term, role, context)
        if inner.kind or child.__class__ not in LEAVES:
            _visit(models, child, inner, position, found)


def _name_of(term: Term) -> str:
    if term.__class__ is Name:
        return term.id
    if term.__class__ is Attr:
        return term.name
    match term:
        case Item(key=Const(value=str(name))):
            return name
        case Choice(parts=(first, *_)):  # `conversation_id or "main"`
            return _name_of(first)
        case Call():  # `new_session_id()`
            return _callee_name(term)
        case _:
            return ""


def _named_by(models: Models, context: Context) -> tuple[str, str] | None:
    """The id that a consumer asks for by name: a keyword, a dict entry, a map of sessions."""
    name = context.role
    if context.kind in ("argument", "entry") and isinstance(name, str) and (concept := id_concept(models, name)):
        return name, concept
    if context.kind == "key":
        base = _name_of(context.term.base)
        if concept := map_concept(models, base):
            return f"{concept}_id", concept
    return None


def _context(parent: Term, role: str | int, context: Context) -> Context:
    """What consumes a child, given what consumes its parent."""
    match parent:
        case Call():
            if role == "(func)":
                return _NOWHERE
            name = _callee_name(parent)
            return context if name in _CONVERSIONS else Context("argument", parent, role)
        case Item():
            return Context("key", parent) if role == "(key)" else _NOWHERE
        case Display(kind="dict"):
            return _NOWHERE if role == "(key)" else Context("entry", None, role, context)
        case Choice():
            return _NOWHERE if role == "(test)" else context
        case Blend(op=op):
            return _NOWHERE if op == "slice" else context
        case Display() | Await() | Part() | Star() | Yield():
            return context
        case Test() | _:
            return _NOWHERE


def _callee_name(call: Call) -> str:
    return call.func.name if isinstance(call.func, Attr) else call.func.id if isinstance(call.func, Name) else ""


# --- uses: what becomes of an occurrence in a frame -----------------------------------------------------------------


def _use(s: State, lives: Lifetimes, frame: Frame, occurrence: Occurrence, *, handed_on: bool = False) -> IdUse | None:
    value = evaluate.evaluate(s, frame, occurrence.term, occurrence.position)
    if not value:
        return None
    context = occurrence.context
    if handed_on and context.kind == "argument":
        made = frame.made.get(context.term.order)
        if made is not None and made.targets:
            return IdUse(frame, occurrence, value, f"argument of `{_source(frame, context.term.func)}`", True)
    found = _consumed(s, lives, frame, occurrence, occurrence.context, value)
    return IdUse(frame, occurrence, value, *found) if found else None


def _consumed(
    s: State, lives: Lifetimes, frame: Frame, at: Occurrence, context: Context, value: Value
) -> tuple[str, bool] | None:
    match context.kind:
        case "key" if _is_shared(s, lives, frame, context.term.base, at.position):
            return f"key of `{_source(frame, context.term.base)}`", True
        case "argument":
            return _argument(s, lives, frame, at, context, value)
        case "entry":
            return _entry(s, lives, frame, at, context, value)
        case "return":
            return f"what `{frame.info.function.name}` gives back", False
        case _:
            return None


def _is_shared(s: State, lives: Lifetimes, frame: Frame, base: Term, at: int) -> bool:
    for atom in evaluate.evaluate(s, frame, base, at):
        if isinstance(atom, (Instance, Member)) and not isolated(s, atom) and lives.why(atom) is not None:
            return True
    return False


def _argument(
    s: State, lives: Lifetimes, frame: Frame, at: Occurrence, context: Context, value: Value
) -> tuple[str, bool] | None:
    call: Call = context.term
    made = frame.made.get(call.order)
    name = _callee_name(call)
    if made is None or _is_label(name):
        return None
    if made.targets:
        return (
            None
            if _taken_on(s, made.targets, context.role, value)
            else (f"argument of `{_source(frame, call.func)}`", True)
        )
    models = [s.models.call(fqn) for fqn in made.external]
    if any(m is not None and m.log for m in models) or name.endswith(_RAISED):
        return None
    if any(m is not None and m.key == context.role for m in models):
        base = call.func.base if isinstance(call.func, Attr) else call.func
        shared = _is_shared(s, lives, frame, base, at.position)
        return (f"key of `{_source(frame, base)}`", True) if shared else None
    if models and all(m is not None and not _leaves(m) for m in models):
        return None
    role = f"`{context.role}` of " if isinstance(context.role, str) else ""
    return f"argument {role or 'of '}`{_source(frame, call.func)}`", True


def _leaves(model: CallModel) -> bool:
    """Whether a modelled call takes its arguments out of the program or into a new object."""
    return bool(model.outbound) or model.gives == "instance"


def _is_label(name: str) -> bool:
    return name in _LABELLING or name.startswith(_LABELLING_PREFIXES)


def _taken_on(s: State, targets: tuple[Frame, ...], role: str | int, value: Value) -> bool:
    """Whether a function called names the id among its parameters, or packs it for another: then its uses decide."""
    for target in targets:
        for p in target.info.function.params:
            held = target.args.get(p.name, NOTHING)
            if p.kind in (ParamKind.VAR_KEYWORD, ParamKind.VAR_POSITIONAL):
                if ANYTHING in held:
                    return True  # so many call it that what it hands on cannot be told apart
                items = NOTHING.union(*(of for atom in held for of in s.heap.get(atom, {}).values()))
                if isinstance(role, str) is (p.kind is ParamKind.VAR_KEYWORD) and value & items:
                    return True
            elif id_concept(s.models, p.name) and value & held:
                return True
    return False


def _entry(
    s: State, lives: Lifetimes, frame: Frame, at: Occurrence, context: Context, value: Value
) -> tuple[str, bool] | None:
    """An entry of a dict literal: used when the dict goes to a method of something outside of the program."""
    outer: Context | None = context.outer
    depth = 0
    while outer is not None and outer.kind == "entry" and depth < 5:
        outer, depth = outer.outer, depth + 1
    if outer is None or outer.kind not in ("argument", "return"):
        return None
    if outer.kind == "return":
        return f"`{context.role}` of what `{frame.info.function.name}` gives back", False
    call: Call = outer.term
    made = frame.made.get(call.order)
    if made is None or made.targets or not isinstance(call.func, Attr) or _is_text(call.func.name):
        return None
    found = _argument(s, lives, frame, at, outer, value)
    return (f"`{context.role}` of what `{_source(frame, call.func)}` gets", True) if found else None


def _carriers(s: State) -> set[Atom]:
    """Dicts that hold a constant or generated id under an id's key, and those that hold such dicts."""
    found: set[Atom] = set()
    for holder, fields in s.heap.items():
        if isinstance(holder, Instance) and holder.fqn == "builtins.dict" and any(_ids_of(s, fields)):
            found.add(holder)
    for _ in range(2):
        outer = (
            h for h, fields in s.heap.items() if isinstance(h, Instance) and h.fqn == "builtins.dict" and h not in found
        )
        found.update([h for h in outer if any(not found.isdisjoint(v) for v in s.heap[h].values())])
    return found


def _ids_of(s: State, fields: dict[str, Value]) -> Iterator[tuple[str, str, Value]]:
    for field, value in fields.items():
        name = field[2:-2] if field[:2] in ("['", '["') else ""
        concept = id_concept(s.models, name) if name else ""
        if concept and any(isinstance(a, (Literal, Token)) for a in value):
            yield name, concept, value


def _carried(s: State, frame: Frame, carriers: set[Atom]) -> Iterator[IdUse]:
    """Ids inside of dicts that go, by name, to methods of something outside of the program."""
    for made in list(frame.made.values()):
        call = made.term
        if made.targets or not isinstance(call.func, Attr) or _is_text(call.func.name) or _is_label(call.func.name):
            continue
        models = [s.models.call(fqn) for fqn in made.external]
        if models and all(m is not None and not _leaves(m) for m in models):
            continue
        for term in (*call.args, *(v for _, v in call.keywords)):
            if isinstance(term, (Name, Attr, Call)):
                found = evaluate.evaluate(s, frame, term, made.position)
                yield from _inside(s, frame, term, made, found & carriers, carriers, 3)


def _inside(
    s: State, frame: Frame, term: Term, made: Made, found: Value, carriers: set[Atom], depth: int
) -> Iterator[IdUse]:
    for atom in found:
        fields = s.heap[atom]
        for name, concept, value in _ids_of(s, fields):
            occurrence = Occurrence(term, name, concept, made.position, Context("argument", made.term))
            yield IdUse(frame, occurrence, value, f"`{name}` of what `{_source(frame, made.term.func)}` gets", True)
        for value in list(fields.values()) if depth else ():
            yield from _inside(s, frame, term, made, value & carriers, carriers, depth - 1)


def _is_text(name: str) -> bool:
    """Names of methods that fill the dict into an answer or a text."""
    return name[:1].isupper() or name in ("format", "render", "send_json", "append", "dumps", "jsonify", "update")


def _source(frame: Frame, term: Term) -> str:
    span = getattr(term, "span", 0)
    return frame.info.module.source(span) if span else ""


__all__ = ["IdUse", "Occurrence", "id_concept", "map_concept", "uses", "uses_in"]
