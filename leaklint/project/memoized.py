"""Ids that are made for one request and kept for all: by a memoising decorator or by a lazily set place.

What the ids are used for is found elsewhere; here is only what keeps them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from leaklint.project.guards import is_guarded
from leaklint.project.id_uses import id_concept
from leaklint.project.lifetimes import Lifetimes, is_identity, isolated
from leaklint.project.origins import Origin, Site, target_name
from leaklint.project.program import FunctionInfo
from leaklint.project.routes import Routes
from leaklint.project.state import ITEMS, Effect, Frame, State
from leaklint.project.suspect import Access, IdOrigin, IdSuspect, Strength, WriteSuspect
from leaklint.project.values import Atom, Instance, Phase, Taint, Token, Value

_CONCEPTS = ("session", "user", "tenant")


class Memo(NamedTuple):
    """What keeps an id for ever."""

    at: Site
    how: Origin


def kept_for_ever(s: State, lives: Lifetimes, ways: Routes) -> dict[Atom, Memo]:
    """Generated ids, each with the decorator or the store that keeps it for all requests."""
    found: dict[Atom, Memo] = {}
    for token, memo in (*_stored(s, lives, ways), *_decorated(s, lives)):
        found[token] = memo
    return found


# --- lru_cache and the like -----------------------------------------------------------------------------------------


def _decorated(s: State, lives: Lifetimes) -> Iterator[tuple[Token, Memo]]:
    for info, (decorator, outer) in s.memoised.items():
        frames = s.frames_of.get(info, [])
        if not frames or any(_is_keyed(s, lives, f) for f in frames):
            continue
        span = getattr(decorator, "span", 0)
        home = info if decorator in info.function.decorators else outer.info
        memo = Memo(Site(home, -1, None, decorator, ()), Origin("decorator", info.function.name, span, False))
        for frame in frames:
            for token in _tokens(s, frame.returns):
                yield token, memo


def _is_keyed(s: State, lives: Lifetimes, frame: Frame) -> bool:
    """Whether the arguments, by which results are kept, tell sessions or users apart."""
    if any(id_concept(s.models, p.name) for p in frame.info.function.params):
        return True
    receiver = frame.receiver
    if isinstance(receiver, Instance) and receiver.phase is Phase.REQUEST and lives.why(receiver) is None:
        return True
    return any(isinstance(a, Taint) and a.strength is Strength.IDENTITY for v in frame.args.values() for a in v)


def _tokens(s: State, value: Value) -> Iterator[Token]:
    """Generated ids in a value, also those that its objects were made with."""
    for atom in value:
        if isinstance(atom, Token):
            yield atom
        elif isinstance(atom, Instance) and atom.cls is not None:
            for name, held in s.born.get(atom, {}).items():
                if id_concept(s.models, name):
                    yield from (a for a in held if isinstance(a, Token))


# --- lazily set places ----------------------------------------------------------------------------------------------


def _stored(s: State, lives: Lifetimes, ways: Routes) -> Iterator[tuple[Token, Memo]]:
    for frame in ways.before:
        for effect in frame.effects:
            if not _is_lazy_store(s, lives, frame, effect):
                continue
            op = frame.info.function.ops[effect.position]
            memo = Memo(
                Site(frame.info, effect.position, None, effect.place, ()),
                Origin("lazy-attribute", target_name(op), effect.span, False, op),
            )
            for token in _tokens(s, effect.value):
                if token.phase is Phase.REQUEST:
                    yield token, memo


def _is_lazy_store(s: State, lives: Lifetimes, frame: Frame, effect: Effect) -> bool:
    if effect.access is not Access.STORE or effect.field == ITEMS or is_identity(s, effect):
        return False
    if lives.why(effect.holder) is None or (isinstance(effect.holder, Atom) and isolated(s, effect.holder)):
        return False
    return is_guarded(frame.info.function, effect.position, effect.place, effect.how)


# --- objects made for the first session -----------------------------------------------------------------------------


def of_write(s: State, write: WriteSuspect) -> IdSuspect | None:
    """A lazily set place that keeps the first request's id, or an object made for it, told as such."""
    if not write.guarded or write.strength is not Strength.IDENTITY or write.concept not in _CONCEPTS:
        return None
    if "[*]" in write.place.path or write.value_span is None:
        return None
    asked = _asked_for(s, write.function)
    if write.concept != "session" and not id_concept(s.models, write.place.slot) and not asked:
        return None
    return IdSuspect(
        function=write.function,
        span=write.span,
        statement=write.statement,
        route=write.route,
        origin=IdOrigin.MEMOIZED,
        name=write.place.slot,
        concept=write.concept,
        value=write.value,
        value_span=write.value_span,
        why="",
        use=write.readers[0].span if write.readers else write.span,
        use_text=f"`{write.place.slot}`, whoever asks",
        form="lazy-attribute" if id_concept(s.models, write.place.slot) else "factory",
        available=asked if write.how == "global" else "",
        in_request=True,
    )


def _asked_for(s: State, function: str) -> str:
    """The parameter that says whose object is wanted."""
    named = (p.name for info in _named(s, function) for p in info.function.params if id_concept(s.models, p.name))
    return next(named, "")


def _named(s: State, function: str) -> Iterable[FunctionInfo]:
    return (info for info in s.frames_of if info.qualname == function)
