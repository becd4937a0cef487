"""Writes of request data to places that outlive the request.

One suspect a slot: all its writers, resets and readers are told with it. What rules then make of it is not known here.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import partial
from typing import TypeAlias

from msgspec import Struct, field
from msgspec.structs import replace

from leaklint.finding import Span
from leaklint.index.summary import Attr, Bind, Call, Const, Display, Drop, Eval, Item, Kind, Name, Range, Term, covers
from leaklint.models import AttributeModel
from leaklint.project import evaluate
from leaklint.project.calls import heirs, mro
from leaklint.project.causes import causes
from leaklint.project.derived import Derived
from leaklint.project.fixed import is_fixed
from leaklint.project.guards import is_guarded, is_what_is_left
from leaklint.project.id_uses import id_concept
from leaklint.project.lifetimes import Lifetimes, Why, concurrent, is_identity, isolated
from leaklint.project.locks import Locks
from leaklint.project.making import is_part_of_making
from leaklint.project.marks import is_mark_of_all
from leaklint.project.membership import is_only_asked
from leaklint.project.narrowed import is_kept_away
from leaklint.project.outlets import keeps_outlet
from leaklint.project.own_locks import is_own_lock
from leaklint.project.own_reads import is_own
from leaklint.project.passing import Callers, callers, passing
from leaklint.project.program import ClassInfo, FunctionInfo, Module
from leaklint.project.routes import Routes
from leaklint.project.schedule import Schedule
from leaklint.project.state import ITEMS, Effect, Frame, Holder, State
from leaklint.project.suspect import Access, Place, PlaceKind, Strength, Use, WriteSuspect
from leaklint.project.terms import said_in
from leaklint.project.uses import attribute_occurrences, name_occurrences, use
from leaklint.project.values import (
    ANYTHING,
    Atom,
    ClassValue,
    External,
    FunctionValue,
    Instance,
    Literal,
    Member,
    ModuleValue,
    Phase,
    Taint,
    Token,
)

_DEFAULT = "a default is made once, when the function is defined"


class Slot(Struct, frozen=True):
    """Where a value is kept, told apart by class and attribute (not by instance), name or variable."""

    kind: PlaceKind
    owner: object  # ClassInfo, Module, FunctionInfo or a library name
    name: str
    path: tuple[str, ...] = ()

    @property
    def root(self) -> Slot:
        """The attribute or name itself."""
        return Slot(self.kind, self.owner, self.name)


class Story(Struct):
    """All that request code does with one slot."""

    slot: Slot
    writes: list[tuple[Frame, Effect]] = field(default_factory=list)
    resets: list[tuple[Frame, Effect]] = field(default_factory=list)
    why: Why | None = None
    holders: set[tuple[Holder, str]] = field(default_factory=set)


def writes(s: State, lives: Lifetimes, ways: Routes, locks: Locks) -> Iterator[WriteSuspect]:
    """All suspects of this kind, in order of path and line."""
    uses = _Uses(s)
    stories = list(_stories(s, lives, ways).values())
    plain = [story for story in stories if not _is_registry(s, story)]
    kept = [(story.slot.owner, frame, effect) for story in plain for frame, effect in story.writes]
    derived = Derived(ways, kept, partial(kept_data, s, lives))
    told = (_suspect(s, lives, ways, locks, story, uses, derived) for story in stories if story.writes)
    known: Callers | None = None
    for suspect in causes(suspect for suspect in told if suspect is not None):
        known = known or callers(s)
        seen_uses = (*suspect.uses, *suspect.siblings, *suspect.resets, *suspect.readers)
        users = {suspect.function, *(use.function for use in seen_uses)}
        owner = suspect.place.owner
        users -= {owner, f"{owner}.<module>", f"{owner}.__init__"}  # makes the slot, and is handed nothing
        yield replace(suspect, passing=passing(s, known, sorted(users)))


def _stories(s: State, lives: Lifetimes, ways: Routes) -> dict[Slot, Story]:
    stories: dict[Slot, Story] = {}
    captured = {key for frame in ways.before for key in frame.loads if isinstance(key[0], Frame)}
    for frame in ways.before:
        for effect in frame.effects:
            located = _slot(s, lives, captured, effect)
            if located is None or _is_kept_away(s, frame, effect):
                continue
            slot, why, chain = located
            story = stories.get(slot)
            if story is None:
                story = stories[slot] = Story(slot)
            story.why = story.why or why
            story.holders.update(chain)
            if effect.access is Access.DELETE or not _keeps_request_data(s, lives, slot, frame, effect):
                story.resets.append((frame, effect))
            else:
                story.writes.append((frame, effect))
            if _leaves_some(frame, effect):
                items = replace(slot, path=(*slot.path, ITEMS))
                stories.setdefault(items, Story(items)).resets.append((frame, effect))
    return stories


def _leaves_some(frame: Frame, effect: Effect) -> bool:
    """Whether a collection is set to what is left of it."""
    return is_what_is_left(frame.info.function, effect.position, effect.place, effect.value_term)


# --- which slot a write goes to -------------------------------------------------------------------------------------


Captured: TypeAlias = set[tuple[Holder, str]]  # variables of set-up functions that request code reads
Chain: TypeAlias = tuple[tuple[Holder, str], ...]  # the written field first, then what holds its holder


def _slot(s: State, lives: Lifetimes, captured: Captured, effect: Effect) -> tuple[Slot, Why, Chain] | None:
    """The shared slot that an effect writes to, by its shortest name; `None` when the holder is not shared."""
    holder = effect.holder
    why = lives.why(holder)
    if why is None or isolated(s, holder):  # type: ignore[arg-type]
        return None
    if (concurrent(s, holder) and not client_of(s, holder)) or _is_declared(s, holder):
        return None
    if effect.access is not Access.DELETE and is_identity(s, effect):
        return None
    named = _located(s, lives, captured, holder, _field(effect), (), why, ((holder, effect.field),))
    shortest = min(named, key=lambda n: (len(n[0].path), n[0].kind.value, str(n[0].name)), default=None)
    if shortest is None or not client_of(s, holder):
        return shortest
    slot, why, chain = shortest
    return replace(slot, path=slot.path[:1]), why, chain  # all headers of one client are one story


def _is_kept_away(s: State, frame: Frame, effect: Effect) -> bool:
    """Whether a test of the type of the written object keeps this holder away."""
    base = effect.place.base if isinstance(effect.place, Attr) and effect.access is Access.STORE else None
    if base is not None and isinstance(effect.holder, ClassValue):
        values = evaluate.evaluate(s, frame, base, effect.position)
        if any(atom is ANYTHING or (isinstance(atom, Instance) and atom.cls is not None) for atom in values):
            return True  # among objects: it is not the class that is meant
    return isinstance(base, Name) and is_kept_away(s, frame, base.id, effect.position, effect.holder)


def _is_declared(s: State, holder: Holder) -> bool:
    """Whether a class body declares it for a library, as columns are: then each object has a value of its own there."""
    while isinstance(holder, Member):
        holder = holder.owner
    if not isinstance(holder, Instance) or holder.cls is not None or holder.frame is None or holder.frame.cls is None:
        return False
    plain = ("builtins.object", "abc.ABC", "typing.Generic", "typing.Protocol")
    library = any(base not in plain for base in mro(s, holder.frame.cls)[1])
    return library and not holder.fqn.startswith("builtins.") and s.models.type(holder.fqn) is None


def _field(effect: Effect) -> str:
    """The written field; a key that is no constant in the code stands for any, whatever it was seen to be."""
    if effect.field[:1] == "[" and effect.key_term is not None and not isinstance(effect.key_term, Const):
        return ITEMS
    return effect.field


def _located(
    s: State,
    lives: Lifetimes,
    captured: Captured,
    holder: Holder,
    name: str,
    path: tuple[str, ...],
    why: Why,
    chain: Chain,
) -> Iterator[tuple[Slot, Why, Chain]]:
    is_item = name[:1] == "["
    chain = (*chain, (holder, name))
    match holder:
        case ModuleValue() if not is_item:
            yield Slot(PlaceKind.GLOBAL, holder.module, name, path), why, chain
        case ClassValue() if not is_item:
            yield Slot(PlaceKind.CLASS, holder.info, name, path), why, chain
        case Frame():
            yield Slot(PlaceKind.CLOSURE, holder.info, name, path), why, chain
        case External():
            yield (
                Slot(PlaceKind.GLOBAL, holder.fqn, "" if is_item else name, (name, *path) if is_item else path),
                why,
                chain,
            )
        case Instance() if holder.cls is not None and not is_item:
            own = lives.why(holder) if why.edge is not None else None  # what is in it lives on because it does
            yield Slot(PlaceKind.INSTANCE, holder.cls.info, name, path), own or why, chain
        case FunctionValue() if not is_item:
            yield Slot(PlaceKind.GLOBAL, holder.info.module, f"{holder.info.function.name}.{name}", path), why, chain
        case Instance() | Member() if len(chain) < 5:
            yield from _through_holders(s, lives, captured, holder, name, path, why, chain)


def _through_holders(
    s: State,
    lives: Lifetimes,
    captured: Captured,
    holder: Instance | Member,
    name: str,
    path: tuple[str, ...],
    why: Why,
    chain: Chain,
) -> Iterator[tuple[Slot, Why, Chain]]:
    """A container or library object is named by whatever shared thing holds it."""
    below = (name if name[:1] in "[(" else f".{name}", *path)
    if isinstance(holder, Member):
        above: Iterable[tuple[Holder, str]] = [(holder.owner, holder.name)]
    else:
        above = lives.holders.get(holder, ())
    found = False
    for outer, outer_name in above:
        outer_why = lives.why(outer)
        if outer_why is None or outer is holder or outer_name[:1] == "(":
            continue
        edge = s.edges.get((outer, outer_name, holder))
        if edge is not None and edge.frame.phase is Phase.REQUEST and is_identity(s, edge.effect):
            continue
        for located in _located(s, lives, captured, outer, outer_name, below, why, chain):
            found = True
            yield located
    if found or not isinstance(holder, Instance):
        return
    if (keeper := _memoiser(s, holder)) is not None:
        yield Slot(PlaceKind.GLOBAL, keeper.module, f"{keeper.function.name}()", below), why, chain
    if holder.phase is not Phase.SETUP:
        return
    variable = variable_of(holder)
    if variable is not None and holder.frame is not None and (holder.frame, variable) in captured:
        yield Slot(PlaceKind.CLOSURE, holder.frame.info, variable, below), why, (*chain, (holder.frame, variable))
    elif (default := _default_of(holder)) is not None:
        yield Slot(PlaceKind.DEFAULT, default[0], default[1], below), Why(_DEFAULT, holder.module, holder.span), chain
    elif holder.fqn and name[:1] != "[":
        yield Slot(PlaceKind.INSTANCE, holder.fqn, name, path), why, chain
    elif holder.fqn and holder.frame is None:  # an application, as its requests get at it
        yield Slot(PlaceKind.INSTANCE, holder.fqn, "", below), why, chain
    else:  # one object, handed to each request
        for outer, ident in above:
            if isinstance(outer, Instance) and outer.fqn and isolated(s, outer):
                yield Slot(PlaceKind.INSTANCE, outer.fqn, ident, below), why, (*chain, (outer, ident))


def _memoiser(s: State, instance: Instance) -> FunctionInfo | None:
    """The function that gives the same object to all who call it, because it keeps its first result."""
    return next((info for info in s.memoised if any(instance in f.returns for f in s.frames_of.get(info, ()))), None)


def variable_of(instance: Instance) -> str | None:
    """The local name of the set-up function that an object was bound to, which handlers close over."""
    if instance.frame is None:
        return None
    info = instance.frame.info
    if info.function.kind is not Kind.FUNCTION:
        return None
    for position, op in enumerate(info.function.ops):
        if isinstance(op, Bind) and isinstance(op.target, Name) and instance in instance.frame.values[position]:
            return op.target.id
    return None


def _default_of(instance: Instance) -> tuple[FunctionInfo, str] | None:
    """The function and the parameter whose default an object is."""
    for info in instance.module.functions:
        for param in info.function.params:
            if param.default is not None and getattr(param.default, "span", 0) == instance.span:
                return info, param.name
    return None


def client_of(s: State, holder: Holder) -> str:
    """The library class that sends what a holder keeps with every later call; empty when there is none."""
    while isinstance(holder, Member):
        holder = holder.owner
    if not isinstance(holder, Instance):
        return ""
    names = (holder.fqn,) if holder.cls is None else mro(s, holder.cls)[1]
    return next((name for name in names if (kind := s.models.type(name)) is not None and kind.client), "")


# --- what is kept ---------------------------------------------------------------------------------------------------


def _keeps_request_data(s: State, lives: Lifetimes, slot: Slot, frame: Frame, effect: Effect) -> bool:
    if not effect.value or (effect.how == "augment" and not _is_text(s, frame, effect)):
        return False  # totals and counters
    if is_mark_of_all(s, frame, effect):
        return True
    if is_part_of_making(s, lives, frame, effect):
        return False  # who keeps the object is asked where it is kept
    if _is_empty_container(s, frame, effect) or _leaves_some(frame, effect):
        return False  # what is put into it later is a write of its own
    if _is_filed(s, frame, effect) and not _is_meant_for_one(slot, frame):
        return False  # kept under a key of its own, as a cache does
    if effect.how in ("add", "append") and is_only_asked(s, lives, effect.holder):
        return False  # a note of what was seen before
    return bool(kept_data(s, lives, frame, effect))


def _is_filed(s: State, frame: Frame, effect: Effect) -> bool:
    """Whether an item is stored under a key that may differ from request to request."""
    if effect.field[:1] != "[" or effect.key_term is None or isinstance(effect.key_term, Const):
        return False
    if not effect.key or not all(isinstance(atom, Literal) for atom in effect.key):
        return True
    return not is_fixed(s, frame, effect.key_term, effect.position)


def _is_meant_for_one(slot: Slot, frame: Frame) -> bool:
    """Whether an object made for a request takes a table of its class for its own: nothing says `ClassVar`."""
    if slot.kind is not PlaceKind.CLASS or not isinstance(slot.owner, ClassInfo):
        return False
    if not isinstance(frame.receiver, Instance) or frame.receiver.phase is not Phase.REQUEST:
        return False
    return "ClassVar" not in said_in(slot.owner.fields.get(slot.name))


def _is_text(s: State, frame: Frame, effect: Effect) -> bool:
    """Whether the place that is added to holds text: it was seen to be set to a string, and never to a number."""
    held = evaluate.evaluate(s, frame, effect.place, effect.position)
    kinds = {type(atom.value) for atom in held if isinstance(atom, Literal)}
    return kinds == {str}


def _is_empty_container(s: State, frame: Frame, effect: Effect) -> bool:
    """Whether a missing container is set to a new one that holds nothing yet: `rooms.setdefault(name, set())`."""
    match effect.value_term:
        case Display(values=parts):
            pass
        case Call(args=args, keywords=keywords):
            parts = (*args, *(value for _, value in keywords))
        case _:
            return False
    if not is_guarded(frame.info.function, effect.position, effect.place, effect.how):
        return False
    if not all(isinstance(a, Instance) and a.fqn.startswith(("builtins.", "collections.")) for a in effect.value):
        return False
    return not any(evaluate.carried(s, None, evaluate.evaluate(s, frame, part, effect.position)) for part in parts)


def kept_data(s: State, lives: Lifetimes, frame: Frame, effect: Effect) -> frozenset[Taint]:
    """The request data that a write keeps."""
    found = set(evaluate.carried(s, None, effect.value))
    for atom in effect.value:
        if isinstance(atom, Instance) and atom in lives.kept and atom.frame is not None:
            found.add(s.taint(Strength.IDENTITY, "session"))
    found.update(_fresh_id(s, frame, effect))
    if not found and keeps_outlet(s, frame, effect):
        found.add(s.taint(Strength.CONTENT))
    return frozenset(found)


def _fresh_id(s: State, frame: Frame, effect: Effect) -> Iterator[Taint]:
    """The id that a request made for its session, or what it made with it, where whoever comes next finds it.

    A mere id counts in a place that is named for one.
    """
    if effect.access is not Access.STORE:
        return
    concept = s.models.concept(effect.field.strip("[]'\""))
    if not concept and effect.field[:1] != "[" and isinstance(effect.value_term, Name):
        said = s.models.concept(effect.value_term.id)  # `self.current = chat_id`
        concept = said if said == "session" else ""
    if is_guarded(frame.info.function, effect.position, effect.place, effect.how):
        return
    if concept and any(map(_is_fresh, effect.value)):
        yield s.taint(Strength.IDENTITY, concept)
    elif effect.field[:1] != "[" and any(_is_made_for(s, atom, "session") for atom in effect.value):
        yield s.taint(Strength.IDENTITY, "session")


def _is_made_for(s: State, atom: Atom, concept: str) -> bool:
    """Whether an object of the program was made with the new id of one session."""
    if not isinstance(atom, Instance) or atom.cls is None or atom.phase is not Phase.REQUEST or atom.joined:
        return False
    held = (value for name, value in s.born.get(atom, {}).items() if id_concept(s.models, name) == concept)
    return any(_is_fresh(a) for value in held for a in value)


def _is_fresh(atom: Atom) -> bool:
    return isinstance(atom, Token) and atom.fresh and atom.phase is Phase.REQUEST


# --- one suspect a slot ---------------------------------------------------------------------------------------------


def _suspect(
    s: State, lives: Lifetimes, ways: Routes, locks: Locks, story: Story, uses: _Uses, derived: Derived
) -> WriteSuspect | None:
    story.writes.sort(key=lambda w: (ways.distance[w[0]], w[0].info.module.path, w[1].span))
    first = derived.first_hand(story.slot.owner, story.writes)
    frame, effect = first or story.writes[0]
    if _is_registry(s, story):
        return None
    module = frame.info.module
    op = frame.info.function.ops[effect.position]
    taints = kept_data(s, lives, frame, effect)
    strongest = max(taints, key=lambda t: (t.strength is Strength.IDENTITY, t.concept)) if taints else None
    value_span = getattr(effect.value_term, "span", None) or None
    plan = locks.plan if strongest is None or strongest.strength is Strength.CONTENT else None
    loads = list(_readers(s, lives, ways, plan, story))
    return WriteSuspect(
        function=frame.info.qualname,
        span=module.span(effect.span),
        statement=module.span(op.span),
        route=ways.route(frame),
        place=_place(s, story, frame, effect),
        access=effect.access,
        value=module.source(value_span) if value_span else "",
        value_span=module.span(value_span) if value_span else None,
        strength=strongest.strength if strongest else Strength.CONTENT,
        concept=strongest.concept if strongest else "",
        guarded=is_guarded(frame.info.function, effect.position, effect.place, effect.how),
        how=effect.how,
        siblings=tuple(
            _dedupe(_as_use(f, e) for f, e in story.writes if (f.info, e.span) != (frame.info, effect.span))
        ),
        resets=tuple(_dedupe(_as_use(f, e) for f, e in story.resets)),
        readers=tuple(loads),
        uses=uses.of(story.slot),
        suspends=_suspension(frame, effect),
        certain=True,
        apart=_apart(s, ways, story),
        keys=tuple(sorted(set(_constant_keys(s, frame, effect)))),
        kept_by=tuple(sorted(set(_kept_by(lives, story)))),
        derived=first is None,
        own_lock=is_own_lock(locks, story.writes),
    )


def _constant_keys(s: State, frame: Frame, effect: Effect) -> Iterator[Span]:
    """The constants under whose names something is kept: `turns[conversation]`, where all callers say the same."""
    place: Term | None = effect.place
    keys = [effect.key_term]
    while isinstance(place, (Item, Attr)):
        keys.append(place.key if isinstance(place, Item) else None)
        place = place.base
    for key in keys:
        if key is not None and not isinstance(key, Const):
            for atom in evaluate.evaluate(s, frame, key, effect.position):
                if isinstance(atom, Literal):
                    yield atom.module.span(atom.span)


def _kept_by(lives: Lifetimes, story: Story) -> Iterator[Span]:
    for holder, _ in story.holders:
        why = lives.why(holder)
        if why is not None and why.edge is not None:
            yield why.edge.frame.info.module.span(why.edge.effect.span)


def _is_registry(s: State, story: Story) -> bool:
    """Entries that are added and taken out again by value or key: connections, subscriptions, jobs."""
    if not story.slot.path and story.slot.kind is not PlaceKind.GLOBAL and story.slot.kind is not PlaceKind.CLOSURE:
        return False
    if not story.slot.path or story.slot.path[-1] != ITEMS:
        return False
    return any(_takes_out(f, e) for f, e in story.resets)


def _takes_out(frame: Frame, effect: Effect) -> bool:
    if _leaves_some(frame, effect):
        return True
    if effect.access is not Access.DELETE or effect.how == "clear":
        return False
    if effect.how in ("remove", "discard"):
        return True
    if effect.field == ITEMS and (effect.key_term is not None or effect.how == "del"):
        return not isinstance(effect.key_term, Const)
    op = frame.info.function.ops[effect.position]
    return not (isinstance(op, Eval) and isinstance(op.term, Call) and op.term.span == effect.span)


def _place(s: State, story: Story, frame: Frame, effect: Effect) -> Place:
    slot, why = story.slot, story.why
    owner = slot.owner
    match owner:
        case ClassInfo() | FunctionInfo():
            name = owner.qualname
        case Module():
            name = owner.name
        case _:
            name = str(owner)
    setting = _setting(s, owner, slot.name) if isinstance(owner, str) else None
    created = why.module.span(why.span) if why is not None and why.module is not None and why.span else None
    return Place(
        kind=slot.kind,
        owner=name,
        slot=slot.name,
        path=slot.path,
        text=frame.info.module.source(getattr(effect.place, "span", effect.span)),
        created=created,
        why=why.text if why is not None else "",
        library=isinstance(owner, str),
        setting=setting.process if setting is not None else "",
        swapped=setting is not None and setting.race,
        client=client_of(s, effect.holder),
    )


def _setting(s: State, library: str, name: str) -> AttributeModel | None:
    """What a model says of a name of a library, or of the table that a name is in."""
    for fqn in (f"{library}.{name}", library):
        found = s.models.attribute(s.models.canonical(fqn))
        if found is not None and found.process:
            return found
    return None


def _as_use(frame: Frame, effect: Effect) -> Use:
    module = frame.info.module
    op = frame.info.function.ops[effect.position]
    return Use(effect.access, module.span(effect.span), module.span(op.span), frame.info.qualname, True)


def _dedupe(uses: Iterable[Use]) -> list[Use]:
    return sorted(set(uses), key=lambda u: (u.span, u.access.value, u.function))


def _readers(s: State, lives: Lifetimes, ways: Routes, plan: Schedule | None, story: Story) -> Iterator[Use]:
    """Reads of the slot in request code; with a plan, without those that find what was just written."""
    touched: dict[FunctionInfo, list[Range]] = defaultdict(list)
    for frame, effect in (*story.writes, *story.resets):
        touched[frame.info].append(getattr(effect.place, "span", 0) or effect.span)
        if effect.access is Access.STORE:
            touched[frame.info].append(getattr(effect.value_term, "span", 0) or effect.span)
    wanted = {*story.holders, *((holder, ITEMS) for holder, name in story.holders if name[:1] == "[")}
    for holder in {h for h, name in story.holders if isinstance(h, Instance) and h.cls is None and name[:1] == "["}:
        wanted.update(held for held in lives.holders.get(holder, ()) if isinstance(held[0], ModuleValue))  # by import
    found: set[Use] = set()
    for key in wanted:
        for frame in filter(ways.reached, s.reading.get(key, ())):
            module = frame.info.module
            own = [e for f, e in story.writes if f is frame and (e.holder, e.field) == key] if plan else []
            for span, at in frame.loads[key]:
                if plan and own and is_own(plan, frame, own, span, at):
                    continue
                if span and not any(covers(t, span) for t in touched.get(frame.info, ())):
                    op = frame.info.function.ops[at]
                    found.add(Use(Access.READ, module.span(span), module.span(op.span), frame.info.qualname, True))
    if isinstance(story.slot.owner, Module) and story.slot.name.endswith("()"):
        found.update(_calls_of(story.slot, ways))
    yield from _dedupe(found)


def _calls_of(slot: Slot, ways: Routes) -> Iterator[Use]:
    """Calls that are given what a memoising function keeps."""
    for frame in ways.before:
        for made in frame.made.values():
            if any(t.info.module is slot.owner and f"{t.info.function.name}()" == slot.name for t in made.targets):
                spans = [
                    frame.info.module.span(span)
                    for span in (made.term.span, frame.info.function.ops[made.position].span)
                ]
                yield Use(Access.READ, spans[0], spans[1], frame.info.qualname, True)


def _apart(s: State, ways: Routes, story: Story) -> Use | None:
    """The first use of the slot that is not made on behalf of a request that writes to it."""
    writing = set[FunctionInfo]().union(*(ways.entries(frame) for frame, _ in story.writes))
    every = {f.info for f in s.entries if f.entry is not None and f.entry.model.every}
    always = writing <= every  # then whoever reads it in a request has one that wrote it
    found: set[Use] = set()
    touching = {frame for key in story.holders for frame in s.reading.get(key, ())}
    touching.update(frame for key in story.holders for frame, _ in s.writing.get(key, ()))
    for frame in touching:
        touched = [(at, span) for key, spots in frame.loads.items() if key in story.holders for span, at in spots]
        touched += [(e.position, e.span) for e in frame.effects if (e.holder, e.field) in story.holders]
        if _is_making_the_slot(story, frame):
            continue
        if not ways.reached(frame) or not (always or ways.entries(frame) <= writing):
            module, (at, span) = frame.info.module, touched[0]
            op = frame.info.function.ops[at]
            found.add(Use(Access.READ, module.span(span), module.span(op.span), frame.info.qualname, True))
    return min(found, key=lambda use: (use.span, use.function), default=None)


def _is_making_the_slot(story: Story, frame: Frame) -> bool:
    """Whether a frame makes what has the slot: the body of the module, `__init__`, the function of the variable."""
    function, owner = frame.info.function, story.slot.owner
    match owner:
        case Module():
            return frame.info.module is owner and function.kind is Kind.MODULE
        case ClassInfo():
            return frame.info.owner is owner and function.name == "__init__"
        case FunctionInfo():
            return frame.info is owner
        case _:
            return function.kind is Kind.MODULE


_Here: TypeAlias = tuple[FunctionInfo, Range]


class _Uses:
    """All uses of each attribute and name, whatever is kept in it."""

    def __init__(self, s: State) -> None:
        self._s = s
        self._known: dict[tuple[object, str], tuple[Use, ...]] = {}

    def of(self, slot: Slot) -> tuple[Use, ...]:
        """In the order of the program."""
        key = slot.owner, slot.name
        if key not in self._known:
            self._known[key] = tuple(_uses(self._s, slot))
        return self._known[key]


def _uses(s: State, slot: Slot) -> Iterator[Use]:
    owner = slot.owner
    if isinstance(owner, ClassInfo):
        ours, others = _seen(s, owner, slot.name)
        family = _family(s, owner)
        for found in attribute_occurrences(s.program, s.models, slot.name):
            here = found.info, found.span
            cls = _self_of(found.info, found.term)
            if cls in family or here in ours:
                yield use(found, True)
            elif cls is None and here not in others:
                yield use(found, False)  # nobody knows whose attribute this is
    elif isinstance(owner, Module) and "." not in slot.name:
        for found in name_occurrences(s.program, s.models, owner, slot.name):
            yield use(found, True)


def _family(s: State, cls: ClassInfo) -> set[ClassInfo | None]:
    """A class and its subclasses."""
    return {cls, *(heir.info for heir in heirs(s, cls))}


def _self_of(info: FunctionInfo, term: Term) -> ClassInfo | None:
    """The class whose `self` a term's base is."""
    base = term.base if isinstance(term, Attr) else term.args[0] if isinstance(term, Call) and term.args else None
    if not isinstance(base, Name):
        return None
    scope: FunctionInfo | None = info
    while scope is not None:
        if base.id in scope.param_names:
            first = scope.function.params[0].name if scope.function.params else ""
            return scope.owner if scope.owner is not None and first == base.id else None
        scope = scope.parent
    return None


def _seen(s: State, owner: ClassInfo, name: str) -> tuple[set[_Here], set[_Here]]:
    """Where the solver saw an attribute of that name: of objects of the class, and of anything known."""
    ours: set[_Here] = set()
    known: set[_Here] = set()
    for holder in s.holders_of.get(name, ()):
        own = isinstance(holder, Instance) and holder.cls is not None and holder.cls.info is owner
        read = {(f.info, span) for f in s.reading.get((holder, name), ()) for span, _ in f.loads[holder, name]}
        if isinstance(holder, (ModuleValue, ClassValue)) or (isinstance(holder, Instance) and holder.cls is not None):
            known |= read
        if own:
            written = s.writing.get((holder, name), ())
            ours |= read.union((f.info, getattr(e.place, "span", e.span)) for f, e in written)
    return ours, known


def _suspension(frame: Frame, effect: Effect) -> Span | None:
    """The first point behind the write at which another request may run."""
    function = frame.info.function
    order = function.ops[effect.position].order
    for at in function.suspends:
        if at > order:
            for op in function.ops:
                if op.order >= at and isinstance(op, (Bind, Eval, Drop)):
                    return frame.info.module.span(op.span)
            break
    return None
