"""Shared maps that get an entry for every session, user or request and never lose one.

Takes a solved program and gives suspects: one for each map, or for those of one object that a function fills under one
key. A removal anywhere in the program counts, reached or not.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from msgspec.structs import replace

from leaklint.index.summary import Const, Item, Kind, Range, Term
from leaklint.project.lifetimes import Lifetimes, named_id
from leaklint.project.program import FunctionInfo
from leaklint.project.routes import Routes
from leaklint.project.spots import origins
from leaklint.project.state import Effect, Frame, Holder, State
from leaklint.project.suspect import Access, GrowthSuspect
from leaklint.project.uses import Occurrence, attribute_occurrences, name_occurrences
from leaklint.project.values import Ambient, Atom, Instance, ModuleValue, Phase, Taint, Token

_MANY = ("session", "user", "request", "connection")  # of which there is always another one
_UNNAMED = ("session", "connection")  # told by what the key is made of; everything is made of a request
_SAYING_NOTHING = ("key", "k", "id", "id_", "identifier", "self")
_DICTS = ("builtins.dict", "collections.defaultdict", "collections.OrderedDict")
_TABLES = ("db", "database", "table", "repo", "repository", "fake")  # stand-ins for a database are kept on purpose


def growing_maps(s: State, lives: Lifetimes, ways: Routes) -> Iterator[GrowthSuspect]:
    """All suspects of this kind."""
    reduced = {e.holder for frame in s.frames for e in frame.effects if e.access is Access.DELETE}
    first: dict[Instance, tuple[Frame, Effect, str]] = {}
    for frame in sorted(ways.before, key=lambda f: (ways.distance[f], f.info.module.path, f.info.function.head)):
        for effect in frame.effects:
            holder = effect.holder
            if holder in reduced or holder in first or not isinstance(holder, Instance):
                continue
            concept = _grows_by(s, lives, frame, effect)
            if concept and not _is_reduced(s, lives, holder):
                first[holder] = frame, effect, concept
    together: dict[tuple[FunctionInfo, object], dict[Range, tuple[Frame, Effect, str]]] = defaultdict(dict)
    for holder, (frame, effect, concept) in first.items():
        together[frame.info, _cause(lives, holder, frame, effect)].setdefault(effect.span, (frame, effect, concept))
    for group in together.values():
        found = [group[span] for span in sorted(group)]
        also = tuple(f.info.module.span(e.span) for f, e, _ in found[1:])
        yield replace(_suspect(lives, ways, *found[0]), also=also)


def _cause(lives: Lifetimes, holder: Instance, frame: Frame, effect: Effect) -> object:
    """What is told once in a function: the maps of one object that get the same key, or else one map."""
    objects = sorted(o for o, _ in lives.holders.get(holder, ()) if isinstance(o, Instance) and o.cls is not None)
    return (objects[0], frame.info.module.source(getattr(effect.key_term, "span", 0))) if objects else effect.span


def _grows_by(s: State, lives: Lifetimes, frame: Frame, effect: Effect) -> str:
    """The concept of the keys under which a write adds entries to a shared map; empty when it adds none."""
    holder = effect.holder
    if effect.access is Access.DELETE or effect.field[:1] != "[" or effect.key_term is None:
        return ""
    if not isinstance(holder, Instance) or holder.fqn not in _DICTS or lives.why(holder) is None:
        return ""
    if effect.value and all(map(_is_time, effect.value)):
        return ""  # when somebody was seen last: a few bytes for each
    return _concept(s, frame, effect, effect.key_term)


def _is_time(atom: Atom) -> bool:
    return isinstance(atom, Token) and not atom.fresh


def _concept(s: State, frame: Frame, effect: Effect, term: Term) -> str:
    key = effect.key
    if isinstance(term, Const):
        return ""
    if not any(isinstance(a, (Taint, Ambient)) or (isinstance(a, Token) and a.phase is Phase.REQUEST) for a in key):
        return ""  # always the same few
    named = named_id(s, term)
    if named:
        return named if named in _MANY else ""
    made_of = origins(frame.info, term, effect.position)
    if found := sorted({s.models.concept(name) for name in made_of}.intersection(_MANY)):
        return found[0]
    if not made_of <= set(_SAYING_NOTHING):
        return ""  # called something else: what it was once taken from is not what it is
    return next((a.concept for a in key if isinstance(a, Taint) and a.concept in _UNNAMED), "")


# --- removals ---------------------------------------------------------------------------------------------------------


def _is_reduced(s: State, lives: Lifetimes, holder: Instance) -> bool:
    """Whether some code takes entries out by the name of the map, replaces it, or hands it to a library."""
    for outer, name in lives.holders.get(holder, ()):
        if name[:1] == "(" or _is_table(name):
            return True
        if name[:1] != "[" and any(_reduces(found) for found in _occurrences(s, outer, name)):
            return True
    return False


def _is_table(name: str) -> bool:
    return any(word in _TABLES for word in name.lower().split("_"))


def _occurrences(s: State, outer: Holder, name: str) -> Iterator[Occurrence]:
    if isinstance(outer, ModuleValue):
        yield from name_occurrences(s.program, s.models, outer.module, name)
    yield from attribute_occurrences(s.program, s.models, name)


def _reduces(found: Occurrence) -> bool:
    if found.access is Access.DELETE:
        return True
    function = found.info.function
    making = function.name in ("__init__", "__new__", "__post_init__") or function.kind in (Kind.MODULE, Kind.CLASS)
    return found.access is Access.STORE and not making


def _suspect(lives: Lifetimes, ways: Routes, frame: Frame, effect: Effect, concept: str) -> GrowthSuspect:
    info, module = frame.info, frame.info.module
    place = effect.place.base if isinstance(effect.place, Item) else effect.place
    assert isinstance(effect.holder, Instance)
    return GrowthSuspect(
        function=info.qualname,
        span=module.span(effect.span),
        statement=module.span(info.function.ops[effect.position].span),
        route=ways.route(frame),
        name=module.source(getattr(place, "span", 0)),
        key=module.source(getattr(effect.key_term, "span", 0)),
        concept=concept,
        created=effect.holder.module.span(effect.holder.span) if effect.holder.span else None,
        written=module.source(effect.span),
    )
