"""Library objects that serve one request or session, made once and used by request code: sessions, chats, cookie jars.

One suspect an object, with all its uses. What writes request data to such an object is told elsewhere, as a write.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from msgspec import Struct, field
from msgspec.structs import replace

from leaklint.index.summary import Attr, Call, Name, Term, covers
from leaklint.models import Models, TypeModel
from leaklint.project import evaluate
from leaklint.project.asking import arguments, value_of
from leaklint.project.lifetimes import Lifetimes, Why, isolated
from leaklint.project.passing import callers, passing
from leaklint.project.program import ClassInfo
from leaklint.project.routes import Routes
from leaklint.project.schedule import Schedule
from leaklint.project.shared import variable_of
from leaklint.project.state import Frame, Made, State
from leaklint.project.suspect import Access, SharedUseSuspect, Single, Use
from leaklint.project.values import Instance, Member, ModuleValue, Phase, Value

_DATABASE = {"session": Single.SESSION, "connection": Single.CONNECTION, "cursor": Single.CURSOR}
_BODY = ("data", "json")  # what clients call the body of a request
_BIRTH = "it is made once, before any request"


class _Serving(Struct, frozen=True):
    """What in the program serves one request or session."""

    chats: dict[Instance, Instance]
    methods: frozenset[str]  # names of library functions that are called on such objects
    handed_on: bool  # there are such objects that calls may be passed


class _Seen(Struct):
    """One object, and where request code uses it."""

    single: Single
    why: Why
    uses: list[tuple[Frame, Made]] = field(default_factory=list)


def shared_uses(s: State, lives: Lifetimes, ways: Routes, plan: Schedule) -> list[SharedUseSuspect]:
    """All suspects of this kind, in order of path and line."""
    chats = _conversations(s, lives)
    serving = _Serving(
        chats,
        frozenset(name for name in s.called if _owner(s.models, name, {chat.fqn for chat in chats})),
        any(_is_handed_on(s.models.type(kind)) for kind in s.kinds if kind),
    )
    found: dict[Instance, _Seen] = {}
    for frame in ways.before:
        for made in list(frame.made.values()):
            for instance, single in _used(s, frame, made, serving):
                why = _why(s, lives, instance)
                if why is not None:
                    found.setdefault(instance, _Seen(single, why)).uses.append((frame, made))
    places: dict[tuple[object, ...], tuple[Instance, _Seen]] = {}
    for instance, seen in found.items():  # frames of one function make objects of their own: one place, one suspect
        first = places.setdefault((instance.module, instance.span), (instance, seen))[1]
        if first is not seen:
            first.uses += seen.uses
    told = sorted((_suspect(lives, ways, plan, i, seen) for i, seen in places.values()), key=lambda f: f.span)
    if not any(suspect.single is Single.SESSION for suspect in told):
        return told
    known = callers(s)
    return [
        replace(one, passing=passing(s, known, sorted({use.function for use in one.uses})))
        if one.single is Single.SESSION
        else one
        for one in told
    ]


def _why(s: State, lives: Lifetimes, instance: Instance) -> Why | None:
    """Why an object is shared by requests; `None` where it is not, or nobody saw how it is made."""
    if instance.frame is None or isolated(s, instance) or instance in lives.kept:
        return None
    if instance.frame.info.module in s.scripts:
        return None
    if instance.phase is Phase.SETUP:
        return lives.why(instance) or Why(_BIRTH, instance.module, instance.span)
    return lives.why(instance)


# --- what a call uses -----------------------------------------------------------------------------------------------


def _used(s: State, frame: Frame, made: Made, serving: _Serving) -> Iterator[tuple[Instance, Single]]:
    """The objects that serve one at a time and that a call is made on or passed."""
    if not made.external:
        return
    chats = serving.chats
    if not serving.methods.isdisjoint(made.external):
        for instance in _objects(value_of(s, frame, _receiver(made.term), made.position)):
            single = Single.CONVERSATION if instance in chats else _single(s, frame, instance, made)
            if single is not None:
                yield chats.get(instance, instance), single
    for term in arguments(made.term) if serving.handed_on else ():
        if isinstance(term, (Name, Attr)):
            for instance in _objects(value_of(s, frame, term, made.position)):
                kind = _type(s.models, instance)
                if kind is not None and _is_handed_on(kind):
                    yield instance, _DATABASE.get(kind.database, Single.CONVERSATION)


def _is_handed_on(kind: TypeModel | None) -> bool:
    """Whether objects of a class serve one at a time also where they are passed to something."""
    return kind is not None and bool(kind.database or kind.conversation)


def _owner(models: Models, name: str, more: set[str]) -> bool:
    """Whether a callee belongs to a class whose instances serve one at a time."""
    while name:
        name = name.rpartition(".")[0]
        if name in more:
            return True
        kind = models.type(name) if name else None
        if kind is not None and (kind.database or kind.conversation or kind.cookies):
            return True
    return False


def _receiver(term: Call) -> Term:
    return term.func.base if isinstance(term.func, Attr) else term.func


def _objects(value: Value) -> Iterator[Instance]:
    """The library objects in a value, or that it is a part of."""
    for atom in value:
        while isinstance(atom, Member):
            atom = atom.owner
        if isinstance(atom, Instance) and atom.cls is None:
            yield atom


def _type(models: Models, instance: Instance) -> TypeModel | None:
    return models.type(instance.fqn) if instance.fqn else None


def _single(s: State, frame: Frame, instance: Instance, made: Made) -> Single | None:
    kind = _type(s.models, instance)
    if kind is None:
        return None
    if kind.conversation:
        return Single.CONVERSATION
    if kind.database:
        return _DATABASE[kind.database]
    return Single.COOKIES if kind.cookies and _is_login(s, frame, made) else None


def _is_login(s: State, frame: Frame, made: Made) -> bool:
    """Whether a call sends a name and a password of the request in its body: the answer sets a cookie."""
    for name, term in made.term.keywords:
        for atom in value_of(s, frame, term, made.position) if name in _BODY else ():
            if isinstance(atom, Instance) and atom.fqn == "builtins.dict":
                given = {
                    s.models.concept(k[2:-2]) for k, v in s.born.get(atom, {}).items() if evaluate.carried(s, None, v)
                }
                if {"user", "credential"} <= given:
                    return True
    return False


# --- conversations --------------------------------------------------------------------------------------------------


def _conversations(s: State, lives: Lifetimes) -> dict[Instance, Instance]:
    """Objects that keep a history, and library objects made with one, each with the one that keeps it."""
    found: dict[Instance, Instance] = {}
    for atom in list(lives.holders):
        if isinstance(atom, Instance) and (kind := _type(s.models, atom)) is not None and kind.conversation:
            found[atom] = atom
    if not found:
        return found
    for frame in list(s.frames):
        for made in list(frame.made.values()):
            if not made.external:
                continue
            passed = (
                a for t in arguments(made.term) for a in _objects(value_of(s, frame, t, made.position)) if a in found
            )
            chat = next(passed, None)
            if chat is not None and frame.phase is chat.phase:
                for made_of_it in _objects(value_of(s, frame, made.term, made.position)):
                    if found.get(made_of_it, made_of_it) is made_of_it is not chat:
                        found[made_of_it] = found[chat]  # it keeps its history there
    return found


# --- one suspect an object ------------------------------------------------------------------------------------------


def _suspect(lives: Lifetimes, ways: Routes, plan: Schedule, instance: Instance, seen: _Seen) -> SharedUseSuspect:
    assert instance.frame is not None
    seen.uses.sort(key=lambda u: (ways.distance[u[0]], u[0].info.module.path, u[1].term.span))
    uses: dict[Use, str] = {}
    for frame, made in seen.uses:
        module = frame.info.module
        op = frame.info.function.ops[made.position]
        use = Use(Access.READ, module.span(made.term.span), module.span(op.span), frame.info.qualname, True)
        uses[use] = module.source(made.term.span)
    info, module = instance.frame.info, instance.module
    statement = next((op.span for op in info.function.ops if covers(op.span, instance.span)), instance.span)
    return SharedUseSuspect(
        function=info.qualname,
        span=module.span(instance.span),
        statement=module.span(statement),
        route=ways.route(seen.uses[0][0]),
        single=seen.single,
        name=_name(lives, instance),
        kind=instance.fqn,
        why=seen.why.text or _BIRTH,
        uses=tuple(uses),
        texts=tuple(uses.values()),
        pool=any(plan.preemptive(frame) for frame, _ in seen.uses),
    )


def _name(lives: Lifetimes, instance: Instance) -> str:
    """What the program calls an object."""
    names: dict[bool, list[str]] = defaultdict(list)
    for holder, name in lives.holders.get(instance, ()):
        if isinstance(holder, ModuleValue):
            names[True].append(name)
        elif isinstance(holder, Instance) and holder.cls is not None and name[:1] not in "[(":
            info: ClassInfo = holder.cls.info
            names[False].append(f"{info.summary.name}.{name}")
    for group in (names[True], names[False]):
        if group:
            return min(group)
    return variable_of(instance) or instance.fqn.rpartition(".")[2]
