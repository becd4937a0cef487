"""Ids that do not identify: constants, ids made once and ids that repeat, used as ids by request code.

One suspect an origin, with the nearest use. Whether it is worth a finding is the rules' word, not decided here.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from msgspec.structs import replace

from leaklint.finding import Span
from leaklint.index.summary import Attr, Bind, Call, Choice, Const, Item, Kind, Name, Range, Return, Term, Test
from leaklint.project import calls, evaluate
from leaklint.project.conditional import is_of_script
from leaklint.project.generated import becomes_id, brought_in, is_of_process, name_alone, names_an_id
from leaklint.project.id_defaults import factory_for
from leaklint.project.id_uses import IdUse, id_concept, uses
from leaklint.project.lifetimes import Lifetimes
from leaklint.project.memoized import Memo, kept_for_ever, of_write
from leaklint.project.origins import Origin, Site, children, origin, roots, site, span_of, target_name
from leaklint.project.passing import Callers, callers, passing
from leaklint.project.program import ClassInfo, FunctionInfo
from leaklint.project.routes import Routes
from leaklint.project.state import Frame, State
from leaklint.project.suspect import Access, IdOrigin, IdSuspect, Strength, Use, WriteSuspect
from leaklint.project.uses import attribute_occurrences
from leaklint.project.uses import use as use_of
from leaklint.project.values import NOTHING, Ambient, Atom, ClassValue, Instance, Literal, Phase, Taint, Token, Value


class Brought(NamedTuple):
    """A use, and what brought a bad id to it."""

    use: IdUse
    at: Site
    how: Origin
    kind: IdOrigin
    why: str = ""
    made: Token | None = None  # what collides, made by another function


def instead_of(writes: list[WriteSuspect], found: list[IdSuspect]) -> list[WriteSuspect]:
    """The writes that are not told as ids already: one store, one finding."""
    told = {f.span for f in found if f.origin is IdOrigin.MEMOIZED}
    keys = [f.span for f in found if f.form == "key"]
    constants = {f.value_span for f in found if f.origin in (IdOrigin.CONSTANT, IdOrigin.FALLBACK)}
    rest = (w for w in writes if w.span not in told and told.isdisjoint(w.kept_by))
    return [w for w in rest if constants.isdisjoint(w.keys) and not any(_holds(w, k) for k in keys)]


def _holds(write: WriteSuspect, key: Span) -> bool:
    outer, start = write.statement, (key.line, key.column)
    return outer.path == key.path and (outer.line, outer.column) <= start < (outer.end_line, outer.end_column)


def suspects(s: State, lives: Lifetimes, ways: Routes, writes: list[WriteSuspect]) -> list[IdSuspect]:
    """All suspects of this kind, in order of path and line."""
    kept = kept_for_ever(s, lives, ways)
    found: dict[tuple[object, ...], list[Brought]] = defaultdict(list)
    for use in uses(s, lives, ways):
        for brought in _brought(s, lives, use, kept):
            found[_cause(brought)].append(brought)
    for use, at, how in name_alone(s, lives, ways):
        named = Brought(use, at, how, IdOrigin.COLLIDING, "the user's name alone")
        found[_cause(named)].append(named)
    suspected = list(_passed_on(s, [_suspect(s, ways, _nearest(ways, every)) for every in found.values()]))
    suspected += [m for w in writes if (m := of_write(s, w)) is not None]
    return sorted(suspected, key=lambda f: (f.span, f.origin.value))


def _passed_on(s: State, found: list[IdSuspect]) -> Iterator[IdSuspect]:
    """Suspects with what is known of the functions that use a constant, or read an attribute which holds the id."""
    known: Callers | None = None
    for suspect in found:
        if suspect.uses:
            known = known or callers(s)
            users = sorted({use.function for use in suspect.uses} - {suspect.function})
            suspect = replace(suspect, passing=passing(s, known, users))
        elif suspect.in_request and suspect.origin is IdOrigin.CONSTANT and not suspect.available:
            known = known or callers(s)
            suspect = replace(suspect, passing=passing(s, known, (suspect.function,)))
        yield suspect


def _cause(brought: Brought) -> tuple[object, ...]:
    """What is told once: a place that brings an id in, or a constant key of one map wherever it stands."""
    module, how = brought.at.info.module, brought.how
    if how.form == "key":
        return module, module.source(how.span), brought.use.text
    return module, how.span, brought.kind


def _brought(s: State, lives: Lifetimes, use: IdUse, kept: Mapping[Atom, Memo]) -> Iterator[Brought]:
    """What brings a bad id to a use."""
    for atom in use.value:
        if isinstance(atom, Literal):
            found = _constant(s, use, atom)
        elif isinstance(atom, Token):
            found = _generated(s, use, atom, kept) if not _is_lasting(s, lives, atom) else None
        else:
            found = None
        if found is not None:
            yield found


def _nearest(ways: Routes, every: list[Brought]) -> Brought:
    """The use that tells most: one that the code of the origin leads to, and the fewest calls away."""

    def rank(brought: Brought) -> tuple[object, ...]:
        use = brought.use
        return (
            len(every) > 1 and not _leads_to(brought.at.info, use.frame),
            not use.kept,
            not use.text.startswith("key"),
            ways.distance[use.frame],
            use.frame.info.module.path,
            use.span,
            brought.how.span,
        )

    return min(every, key=rank)


def _leads_to(info: FunctionInfo, frame: Frame) -> bool:
    seen, work = {frame}, [frame]
    while work and len(seen) < 500:
        at = work.pop()
        if at.info is info:
            return True
        for caller in at.callers:
            if caller not in seen:
                seen.add(caller)
                work.append(caller)
    return False


# --- constants ------------------------------------------------------------------------------------------------------


_ALIASES = ("me", "self", "@me", "~", "mine", "current", "*", "%")  # whose credentials they are
_ENDINGS = ("id", "ids", "key", "hash", "uuid", "token", "name", "number")  # of the names of fields
_UNKNOWN = ("unknown", "n/a", "none", "null", "undefined", "-", "?", "nobody", "anonymous")  # there is no id


def _may_identify(s: State, atom: Literal) -> bool:
    """Whether a constant stands for somebody: not empty, no flag, and no name of a field."""
    value = atom.value
    if isinstance(value, str):
        return bool(value.strip()) and not _names_a_field(s, value) and len(value) < 80 and value not in _ALIASES
    return isinstance(value, int) and value > 0


def _names_a_field(s: State, text: str) -> bool:
    """Whether a text is the name of an id, as `session_id` and `user` are; `default_session` is somebody's."""
    if not s.models.concept(text):
        return False
    return text.replace("-", "_").lower().endswith(_ENDINGS) or not any(mark in text for mark in "_-")


def _is_silent(s: State, use: IdUse, at: Site, atom: Literal) -> bool:
    if (at.info.function.kind is Kind.CLASS and _is_enum(s, at)) or is_of_script(at.info):
        return True
    if (
        isinstance(at.op, Bind)
        and isinstance(at.op.target, Item)
        and not id_concept(s.models, target_name(at.op) or "id")
    ):
        return True  # `data["status"] = "done"` says what it is
    if _is_sentinel(at.info, atom.value) or _is_sentinel(use.frame.info, atom.value):
        return True
    name = target_name(at.op)
    if at.info.function.kind is Kind.MODULE and name and _is_asked_for(s, name):
        return True
    return isinstance(at.op, Bind) and isinstance(at.op.target, Attr) and _is_set_elsewhere(s, at, name)


def _is_set_elsewhere(s: State, at: Site, name: str) -> bool:
    """Whether the attribute gets something else than a constant at another place: this one only prepares it."""
    return any(
        effect.access is Access.STORE and not isinstance(effect.value_term, Const)
        for holder in s.holders_of.get(name, ())
        if isinstance(holder, Instance) and holder.cls is not None and holder.cls.info is at.info.owner
        for _, effect in s.writing.get((holder, name), ())
    )


def _is_enum(s: State, at: Site) -> bool:
    cls = _class_of(s, at)
    return cls is not None and any(base.startswith("enum.") for base in calls.mro(s, cls)[1])


def _class_of(s: State, at: Site) -> ClassValue | None:
    body = at.info.function.index
    return next((c for c in s.bases if c.info.module is at.info.module and c.info.summary.body == body), None)


def _is_sentinel(info: FunctionInfo, value: object) -> bool:
    """Whether a function asks for the constant: then it stands for "none given"."""
    return any(_asks_for(term, value) for op in info.function.ops for term in roots(op))


def _asks_for(term: Term, value: object) -> bool:
    if isinstance(term, Test) and any(isinstance(p, Const) and p.value == value for p in term.parts):
        return True
    return any(_asks_for(child, value) for _, child in children(term))


def _is_asked_for(s: State, name: str) -> bool:
    """Whether any function compares with the constant of that name."""
    return any(
        _names(term, name)
        for module in s.program.mentioning(name)
        for info in module.functions
        for op in info.function.ops
        for term in roots(op)
    )


def _names(term: Term, name: str) -> bool:
    if isinstance(term, Test) and any(
        name == getattr(p, "id", "") or name == getattr(p, "name", "") for p in term.parts
    ):
        return True
    return any(_names(child, name) for _, child in children(term))


def _constant(s: State, use: IdUse, atom: Literal) -> Brought | None:
    if not use.kept or not _may_identify(s, atom):
        return None
    at = site(atom.module, atom.span)
    if at is None or _is_silent(s, use, at, atom):
        return None
    if use.frame.crowded and at.info is not use.frame.info:
        return None  # calls of many kinds share the frame: one of them means something else
    how = origin(at)
    if how.fallback and at.info.function.kind in (Kind.MODULE, Kind.CLASS) and how.form in ("or", "get", "else"):
        how = how._replace(fallback=False)  # a setting of the program: no request brings it
    if _names_nobody(str(atom.value).lower()) and not use.text.startswith("key"):
        return None
    if how.form == "class-attribute" and (cls := _class_of(s, at)) is not None and calls.is_data_class(s, cls):
        requests = _is_made_for_requests(s, cls)
        how = how._replace(form="dataclass-field", fallback=requests)
        if not id_concept(s.models, how.name) or not (requests or use.occurrence.concept == "session"):
            return None
    if not how.fallback and use.occurrence.concept != "session" and _is_actor(use, at, how):
        return None
    return Brought(use, at, how, IdOrigin.FALLBACK if how.fallback else IdOrigin.CONSTANT)


def _names_nobody(text: str) -> bool:
    """Whether a word says that there is no id, as `anonymous_user` does."""
    first, *rest = text.replace("-", "_").split("_")
    return text in _UNKNOWN or (first in _UNKNOWN and set(rest) <= {"user", "id"})


def _is_made_for_requests(s: State, cls: ClassValue) -> bool:
    """Whether requests make objects of a data class; settings are made once."""
    return any(isinstance(h, Instance) and h.cls is cls and h.phase is Phase.REQUEST for h in list(s.heap))


def _is_actor(use: IdUse, at: Site, how: Origin) -> bool:
    """Whether a constant user or tenant is somebody of its own: named once, or part of a record."""
    if (
        how.form in ("module", "class-attribute", "argument")
        or at.info.function.kind is Kind.MODULE
        or not use.text.startswith(("key", "argument `"))
    ):
        return True
    callee = use.text.rpartition(" `")[2].rpartition(".")[2]
    return how.form == "keyword" and use.frame.info is at.info and callee[:1].isupper()


# --- generated ids --------------------------------------------------------------------------------------------------


def _generated(s: State, use: IdUse, atom: Token, kept: Mapping[Atom, Memo]) -> Brought | None:
    memo = kept.get(atom)
    if memo is not None:
        return Brought(use, memo.at, memo.how, IdOrigin.MEMOIZED) if use.kept else None
    if atom.phase is Phase.REQUEST and atom.fresh:
        return None
    at = site(atom.module, atom.span)
    if at is None:
        return None
    how = brought_in(s, at, atom)
    if how.form == "class-attribute" and (cls := _class_of(s, at)) is not None and calls.is_data_class(s, cls):
        how = how._replace(form="dataclass-field")
    if atom.phase is Phase.SETUP:
        silent = not use.kept or is_of_process(how.name) or is_of_process(use.occurrence.name) or _is_ambient(use)
        return None if silent else Brought(use, at, how, IdOrigin.IMPORT_TIME)
    if not use.kept and use.frame.entry is None:
        return None  # its callers decide
    if _says_whose(s, at):
        return None
    said = how.form == "return" and names_an_id(s.models, how.name, use.occurrence.concept)
    if how.form in ("assign", "return") and not said and not id_concept(s.models, how.name):
        named = becomes_id(s, use.frame, atom)
        if named is None:
            return None  # a time, a number: nothing there takes it for an id
        maker, (at, how) = at, named
        if maker.info is not at.info:
            return Brought(use, at, how, IdOrigin.COLLIDING, atom.why, atom)
    return Brought(use, at, how, IdOrigin.COLLIDING, atom.why)


def _says_whose(s: State, at: Site) -> bool:
    """Whether the id is made of an id of an object as well, though nobody knows the object: `turn.conversation.id`."""
    if not isinstance(at.op, Bind | Return):
        return False
    inner = (*(step.parent for step in at.steps[1:]), at.term)
    beside = (
        child
        for step, on_the_way in zip(at.steps, inner, strict=False)
        if not isinstance(step.parent, Choice)  # what stands in its place instead is no part of it
        for role, child in children(step.parent)
        if role != "(func)" and child is not on_the_way
    )
    return _has_id(s, at.term) or any(_has_id(s, child) for child in beside)


def _has_id(s: State, term: Term) -> bool:
    match term:
        case Attr(base=Attr(name=whole) | Name(id=whole), name="id") if id_concept(s.models, f"{whole}_id"):
            return True
        case Attr(name=name) if id_concept(s.models, name):
            return True
        case _:
            return any(_has_id(s, child) for role, child in children(term) if role != "(func)")


def _is_lasting(s: State, lives: Lifetimes, atom: Token) -> bool:
    """Whether it is the id of an object that was not seen to be one of a request: nobody else gets that id."""
    at = site(atom.module, atom.span)
    if at is None or not isinstance(at.term, Call):
        return False
    for frame in s.frames_of.get(at.info, ()):
        made = frame.made.get(at.term.order)
        models = [s.models.call(fqn) for fqn in made.external] if made is not None else []
        if not any(m is not None and m.until_gone for m in models):
            return False
        value = evaluate.evaluate(s, frame, at.term.args[0], at.position) if at.term.args else NOTHING
        if frame.phase is atom.phase and value and all(_is_of_request(lives, one) for one in value):
            return False
    return True


def _is_of_request(lives: Lifetimes, atom: Atom) -> bool:
    if isinstance(atom, Instance):
        return atom.phase is Phase.REQUEST and lives.why(atom) is None
    return isinstance(atom, Taint)


def _is_ambient(use: IdUse) -> bool:
    """Whether the id comes out of an ambient holder: what start-up put there, requests do not see."""
    return any(isinstance(a, Ambient) for a in use.value)


# --- one suspect an origin ------------------------------------------------------------------------------------------


def _suspect(s: State, ways: Routes, brought: Brought) -> IdSuspect:
    use, at, how, kind, why, made = brought
    module = at.info.module
    op = how.op
    value = span_of(op.value, how.span) if isinstance(op, Bind) and how.span == op.span else how.span
    value = span_of(at.term) if isinstance(at.term, Const) else value  # `Field("default")`: the constant in it
    frame = use.frame
    inside = ways.frames_of.get(at.info, [])
    way = inside[0] if inside else frame
    factory, field = factory_for(s, at)
    return IdSuspect(
        function=at.info.qualname,
        span=module.span(how.span),
        statement=module.span(op.span if op is not None else how.span),
        route=ways.route(way),
        origin=kind,
        name=how.name if id_concept(s.models, how.name) else use.occurrence.name,
        concept=use.occurrence.concept,
        value=module.source(value),
        value_span=module.span(value),
        why=why,
        use=frame.info.module.span(use.span),
        use_text=use.text,
        form=how.form,
        available=_available(s, inside, at, use.occurrence.concept),
        factory=factory,
        field=field,
        in_request=bool(inside),
        uses=tuple(_occurrences(s, at, how)),
        made=made.module.span(made.span) if made is not None else None,
    )


def _available(s: State, frames: list[Frame], at: Site, concept: str) -> str:
    """An id of the session among the parameters, or what the framework gives as such by one of them."""
    for param in at.info.function.params if frames and at.param is None else ():
        values = [f.args.get(param.name, NOTHING) for f in frames]
        if id_concept(s.models, param.name) == concept and all(_is_personal(v) for v in values):
            return param.name
        for home in s.models.homes:
            if home.id and home.scope == concept and all(_is_of(v, home.type) for v in values):
                return f"{param.name}.{home.id.partition('.')[2]}"
    return ""


def _is_personal(value: Value) -> bool:
    return any(isinstance(a, Taint) and a.strength is Strength.IDENTITY for a in value)


def _is_of(value: Value, fqn: str) -> bool:
    return bool(value) and all(isinstance(a, Instance) and a.fqn == fqn for a in value)


def _occurrences(s: State, at: Site, how: Origin) -> Iterator[Use]:
    """Every place in the program that names the attribute which holds a constant, or may name it."""
    if how.form != "assign" or not isinstance(how.op, Bind) or not isinstance(how.op.target, Attr):
        return
    name, owner = how.op.target.name, at.info.owner
    ours: set[tuple[FunctionInfo, Range]] = {(at.info, how.op.target.span)}
    others: set[tuple[FunctionInfo, Range]] = set()
    for holder in s.holders_of.get(name, ()):
        known = isinstance(holder, Instance) and holder.cls is not None and holder.cls.info is owner
        for frame in s.reading.get((holder, name), ()):
            (ours if known else others).update((frame.info, span) for span, _ in frame.loads[holder, name])
    for found in attribute_occurrences(s.program, s.models, name):
        here = found.info, found.span
        if here in ours or not (here in others or _is_own(found.info, found.term, owner)):
            yield use_of(found, here in ours)


def _is_own(info: FunctionInfo, term: Term, owner: ClassInfo | None) -> bool:
    """Whether a term is `self.name` in another class."""
    first = info.function.params[0].name if info.function.params else ""
    mine = isinstance(term, Attr) and isinstance(term.base, Name) and term.base.id == first
    return mine and info.owner is not None and info.owner is not owner
