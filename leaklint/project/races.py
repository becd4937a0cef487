"""Look-ups of session state that another request can outdate before the step that depends on them.

Takes a solved program and gives suspects: the look-up, the point at which others run, and the insert, update or close
behind it. The same entry of the same map is meant, and no lock is held over both. Nothing here words a finding.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from leaklint.index.summary import Attr, Await, Bind, Call, Const, How, Item, Name, Range, Term
from leaklint.project.lifetimes import Lifetimes, concurrent, isolated, named_id
from leaklint.project.locks import Locks
from leaklint.project.lookups import LookUp, deciding, in_term, matches
from leaklint.project.routes import Routes
from leaklint.project.schedule import Schedule
from leaklint.project.spots import origins
from leaklint.project.state import Effect, Frame, Made, State
from leaklint.project.suspect import Access, RaceForm, RaceSuspect
from leaklint.project.terms import Shape, arguments, shape
from leaklint.project.values import Ambient, Instance, Phase, Taint, Value

SESSIONS = ("session", "user", "tenant", "credential")  # what several requests at a time may belong to
MAKING = (
    "create", "open", "start", "new", "connect", "make", "build", "init", "initialize", "register", "spawn", "launch",
    "add", "insert", "begin", "join", "allocate", "provision", "login", "subscribe", "save", "send", "run", "submit",
    "enqueue", "charge", "pay", "book", "reserve", "transfer", "post", "setup",
)  # fmt: skip
_READING = (
    "get", "fetch", "load", "read", "find", "query", "list", "select", "search", "count", "resolve", "lookup", "check",
    "verify", "compute", "is", "has", "validate", "retrieve",
)  # fmt: skip
_ENDING = (
    "close",
    "aclose",
    "stop",
    "disconnect",
    "cancel",
    "shutdown",
    "end",
    "terminate",
    "kill",
    "logout",
    "cleanup",
    "dispose",
    "finish",
)
_MAKING = ("__init__", "__post_init__", "__new__")
_SAYING_NOTHING = ("key", "k", "id", "id_", "identifier", "self")
_CONTAINERS = ("builtins.list", "builtins.dict", "builtins.set", "collections.")


class Act(NamedTuple):
    """A write of an entry, as a function does it or has a callee do it."""

    frame: Frame
    position: int
    order: int
    effect: Effect
    doer: Frame  # whose effect it is
    key: Shape
    waits: bool  # the callee gives control back before it writes


class Race(NamedTuple):
    """A look-up and the act that depends on it, with what lets another request in between."""

    read: LookUp
    act: Act
    form: RaceForm
    pause: Range | None  # where the function waits; `None` when a thread may be stopped anywhere
    sure: bool


def races(s: State, lives: Lifetimes, ways: Routes, plan: Schedule, locks: Locks) -> Iterator[RaceSuspect]:
    """All suspects of this kind, one for each look-up."""
    best: dict[tuple[object, Range], Race] = {}
    written = ((f, [e for e in f.effects if _is_session_state(s, lives, f, e)]) for f in ways.before)
    shared = {f: effects for f, effects in written if effects}
    for frame in ways.before:
        if not plan.concurrent(frame):
            continue
        acts = sorted(_acts(s, shared, plan, frame), key=lambda a: a.order)
        for act in acts:
            race = _race(s, plan, locks, acts, act)
            if race is None:
                continue
            key = (frame.info, getattr(race.read.term, "span", 0))
            if key not in best or race.sure > best[key].sure:
                best[key] = race
    for race in best.values():
        yield _suspect(ways, plan, locks, race)


# --- acts -----------------------------------------------------------------------------------------------------------


def _acts(s: State, shared: Mapping[Frame, list[Effect]], plan: Schedule, frame: Frame) -> Iterator[Act]:
    """The writes of a frame to `shared`, the session state that each frame writes to, and those of its callees."""
    for effect in shared.get(frame, ()):
        order = frame.info.function.ops[effect.position].order
        yield Act(frame, effect.position, order, effect, frame, _key(frame, effect, None), False)
    for made in frame.made.values():
        for target in made.targets[:3]:
            if target is frame or target.info.function.is_generator or target not in shared:
                continue
            passed = arguments(frame.info, made.term, made.position, target.info, target.receiver is not None)
            for effect in shared[target]:
                if _asks_itself(s, target, effect):
                    continue
                inner = target.info.function.ops[effect.position].order
                waits = plan.between(target, -1, inner) is not None
                yield Act(frame, made.position, made.term.order, effect, target, _key(target, effect, passed), waits)


def _asks_itself(s: State, frame: Frame, effect: Effect) -> bool:
    own = _key(frame, effect, None)
    return any(matches(r, effect.holder, effect.field, own) for r in deciding(s, frame, effect.position))


def _is_session_state(s: State, lives: Lifetimes, frame: Frame, effect: Effect) -> bool:
    """Whether a write goes to what several requests of one session or user share."""
    holder = effect.holder
    if not isinstance(holder, Instance) or isolated(s, holder) or concurrent(s, holder) or effect.how == "setdefault":
        return False
    if frame.receiver is holder and frame.info.function.name in _MAKING:
        return False  # nobody has it yet, whichever of its kind was looked up before
    if holder in lives.kept:
        return effect.field[:1] != "(" and any(_is_kept_for_session(s, lives, holder))
    if lives.why(holder) is None or effect.field[:1] != "[":
        return False
    if effect.key_term is None:
        return effect.how == "add" and tells_sessions_apart(s, effect.value, effect.value_term)
    return tells_sessions_apart(s, effect.key, effect.key_term)


def _is_kept_for_session(s: State, lives: Lifetimes, holder: Instance) -> Iterator[bool]:
    for outer, name in lives.holders.get(holder, ()):
        edge = s.edges.get((outer, name, holder))
        if edge is not None and edge.effect.key_term is not None:
            yield tells_sessions_apart(s, edge.effect.key, edge.effect.key_term)


def tells_sessions_apart(s: State, key: Value, term: Term | None) -> bool:
    """Whether a key, as a value and as the code says it, is one for each session, user or tenant."""
    concepts = {a.concept for a in key if isinstance(a, Taint)}
    if any(isinstance(a, Ambient) for a in key) or concepts.intersection(SESSIONS):
        return True
    return term is not None and not isinstance(term, Const) and named_id(s, term) in SESSIONS


def _key(frame: Frame, effect: Effect, passed: dict[str, Shape] | None) -> Shape:
    term = effect.key_term if effect.key_term is not None else effect.value_term if effect.how == "add" else None
    return shape(frame.info, term, effect.position, passed) if term is not None else None


# --- pairs ----------------------------------------------------------------------------------------------------------


def _race(s: State, plan: Schedule, locks: Locks, acts: list[Act], act: Act) -> Race | None:
    found = _pair(s, act)
    if found is None:
        return None
    read, form = found
    pause = _pause(plan, act, read)
    anywhere = plan.preemptive(act.frame)
    if pause is None and not anywhere:
        return None
    if locks.protect(act.frame, read.order, act.order) or _is_marked(plan, acts, act, read):
        return None
    if pause is None and (form is not RaceForm.INSERT or not _is_named(s, act)):
        return None
    sure = _is_harmful(s, act, read, form, pause is not None)
    return Race(read, act, form, pause, sure) if sure is not None else None


def _is_named(s: State, act: Act) -> bool:
    """Whether the key is called what it is; others may only be made of something personal."""
    term = act.effect.key_term
    if term is None or named_id(s, term) in SESSIONS:
        return True
    made_of = origins(act.doer.info, term, act.effect.position)
    if any(s.models.concept(name) in SESSIONS for name in made_of):
        return True
    return made_of <= set(_SAYING_NOTHING) and any(
        isinstance(a, Taint) and a.concept == "session" for a in act.effect.key
    )


def _pause(plan: Schedule, act: Act, read: LookUp) -> Range | None:
    """Where other requests of the event loop run before the act."""
    wait = plan.between(act.frame, read.order, act.order)
    if wait is None and act.waits:
        return act.frame.info.function.ops[act.position].span
    return wait.span if wait is not None else None


def _pair(s: State, act: Act) -> tuple[LookUp, RaceForm] | None:
    """The last look-up of the entry that the act depends on."""
    effect = act.effect
    if effect.access is not Access.DELETE and effect.value_term is not None and act.doer is act.frame:
        for read in in_term(s, act.frame, effect.value_term, act.position):
            if matches(read, effect.holder, effect.field, act.key) and read.order < act.order:
                if not _is_of_another(act, read):
                    return read, RaceForm.UPDATE
    for read in deciding(s, act.frame, act.position):
        if matches(read, effect.holder, effect.field, act.key) and read.order < act.order:
            return read, _form(effect)
    return None


def _is_of_another(act: Act, read: LookUp) -> bool:
    """Whether an attribute is read of one local name and set on another, which stands for an object of its own."""
    match act.effect.place, read.term:
        case Attr(base=Name(id=written) as target), Attr(base=Name(id=asked) as source) if written != asked:
            info = act.frame.info
            return shape(info, target, act.effect.position) != shape(info, source, read.position)
        case _:
            return False


def _form(effect: Effect) -> RaceForm:
    if effect.access is Access.DELETE:
        return RaceForm.REMOVE
    return RaceForm.UPDATE if effect.how == "augment" else RaceForm.INSERT


def _is_marked(plan: Schedule, acts: list[Act], act: Act, read: LookUp) -> bool:
    """Whether a placeholder is stored under the key before anybody else can run: single flight."""
    first = plan.between(act.frame, read.order, act.order)
    if first is None or plan.preemptive(act.frame):
        return False
    return any(
        other.key == act.key
        and read.order < other.order < first.order
        and other.effect.access is not Access.DELETE
        and not other.waits
        for other in acts
    )


# --- what is lost ---------------------------------------------------------------------------------------------------


def _is_harmful(s: State, act: Act, read: LookUp, form: RaceForm, waits: bool) -> bool | None:
    """Whether doing it twice loses something for sure (True) or most likely (False); `None` when nothing is lost."""
    names = set(_calls_between(act, read))
    if form is RaceForm.UPDATE:
        return waits
    if form is RaceForm.REMOVE:
        raises = act.effect.how == "del" or not _has_default(act)
        return False if raises and begins(names, _ENDING) else None
    maker = _maker(act)
    if maker and begins({maker}, _READING):
        return None
    if any(has_state(s, atom) for atom in act.effect.value):
        return waits
    return waits if waits and begins(names, MAKING) else None


def _calls_between(act: Act, read: LookUp) -> Iterator[str]:
    for made in act.frame.made.values():
        if read.order < made.term.order <= act.order and not of_language(made):
            yield callee_name(made.term)


def of_language(made: Made) -> bool:
    """Whether a call is of what the language has by itself: `join` of texts makes nothing that could be lost."""
    if isinstance(made.term.func, Attr) and isinstance(made.term.func.base, Const):
        return True
    return bool(made.external) and not made.targets and all(fqn.startswith("builtins.") for fqn in made.external)


def callee_name(call: Call) -> str:
    """The last name of what is called."""
    return call.func.name if isinstance(call.func, Attr) else call.func.id if isinstance(call.func, Name) else ""


def begins(names: set[str], verbs: tuple[str, ...]) -> bool:
    """Whether a name begins with one of the verbs."""
    return any(name.lower().strip("_").split("_")[0] in verbs for name in names if name)


def _has_default(act: Act) -> bool:
    for made in act.doer.made.values():
        if made.term.span == act.effect.span:
            return len(made.term.args) > 1 or bool(made.term.keywords)
    return act.effect.how != "del"


def _maker(act: Act) -> str:
    """The name of the call whose result is stored; empty when the value is written out."""
    term, info, position = act.effect.value_term, act.doer.info, act.effect.position
    for _ in range(3):
        if isinstance(term, Await):
            term = term.value
        if isinstance(term, Name) and term.id in info.function.bound:
            binds = info.reaching(term.id, position)[0]
            op = info.function.ops[binds[-1]] if binds else None
            if not isinstance(op, Bind) or op.how is not How.ASSIGN:
                return ""
            term, position = op.value, binds[-1]
    return callee_name(term) if isinstance(term, Call) else ""


def has_state(s: State, atom: object) -> bool:
    """Whether an object is there to be changed: one that is made twice loses what went into the first."""
    if not isinstance(atom, Instance) or atom.phase is not Phase.REQUEST:
        return False
    if atom.cls is not None:
        return any(not name.startswith("__") for name in atom.cls.info.methods)
    if atom.fqn.startswith(_CONTAINERS):
        return atom.fqn != "builtins.tuple"
    kind = s.models.type(atom.fqn)
    return kind is not None and (kind.concurrent or kind.conversation)


# --- suspects -------------------------------------------------------------------------------------------------------


def _suspect(ways: Routes, plan: Schedule, locks: Locks, race: Race) -> RaceSuspect:
    act, read = race.act, race.read
    info = act.frame.info
    module, op = info.module, info.function.ops[read.position]
    held = locks.over(act.frame, read.order, act.order)
    return RaceSuspect(
        function=info.qualname,
        span=module.span(getattr(read.term, "span", 0) or op.span),
        statement=module.span(op.span),
        route=ways.route(act.frame),
        place=_place(act),
        key=_key_text(act),
        check=module.source(getattr(read.term, "span", 0) or op.span),
        act=act.doer.info.module.span(act.effect.span),
        act_text=act.doer.info.module.source(act.effect.span),
        doer=act.doer.info.qualname,
        form=race.form,
        pause=module.span(race.pause) if race.pause is not None else None,
        pause_text=module.source(race.pause) if race.pause is not None else "",
        threads=plan.preemptive(act.frame),
        useless=held[0].text if held else "",
        useless_reach=held[0].reach if held else "",
        sure=race.sure,
    )


def _place(act: Act) -> str:
    """The map or attribute as the code writes it, without the key."""
    term = act.effect.place
    term = term.base if isinstance(term, Item) else term
    span = getattr(term, "span", 0)
    return act.doer.info.module.source(span) if span else ""


def _key_text(act: Act) -> str:
    term = act.effect.key_term
    span = getattr(term, "span", 0)
    return act.doer.info.module.source(span) if span else ""
