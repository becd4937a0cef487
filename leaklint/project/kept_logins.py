"""Clients made with credentials that were looked up for one caller's id, and kept for all who come later.

Takes a solved program and gives suspects: a place without a key that is set while it is empty, in a function that is
told by a parameter whose credentials are wanted. Nothing here words a finding.
"""

from __future__ import annotations

from collections.abc import Iterator

from leaklint.index.summary import Attr, Call, Const, Name, Term
from leaklint.project.ambient import own_params
from leaklint.project.bindings import argument
from leaklint.project.guards import is_guarded
from leaklint.project.lifetimes import Lifetimes, is_identity, isolated
from leaklint.project.program import FunctionInfo
from leaklint.project.routes import Routes
from leaklint.project.spots import conditions, origins
from leaklint.project.state import Effect, Frame, State
from leaklint.project.suspect import Access, CacheSuspect
from leaklint.project.values import Atom, Instance, Phase

_HOW = ("global", "assign")


def kept_logins(s: State, lives: Lifetimes, ways: Routes) -> Iterator[CacheSuspect]:
    """All suspects of this kind, one for each store."""
    seen: set[tuple[FunctionInfo, int]] = set()
    for frame in ways.before:
        for effect in frame.effects:
            key = (frame.info, effect.position)
            if key in seen or not _keeps_a_client(s, lives, frame, effect):
                continue
            asked = sorted(name for name in _asked(s, frame, effect) if not _is_settled(ways, frame.info, name))
            if asked:
                seen.add(key)
                yield _suspect(ways, frame, effect, asked[0])


def _keeps_a_client(s: State, lives: Lifetimes, frame: Frame, effect: Effect) -> bool:
    """Whether request code keeps an object that it makes, for the whole process, while there is none."""
    if effect.access is not Access.STORE or effect.how not in _HOW or effect.field[:1] == "[" or is_identity(s, effect):
        return False
    if lives.why(effect.holder) is None or (isinstance(effect.holder, Atom) and isolated(s, effect.holder)):
        return False
    if not any(isinstance(atom, Instance) and atom.phase is Phase.REQUEST for atom in effect.value):
        return False
    return is_guarded(frame.info.function, effect.position, effect.place, effect.how)


def _asked(s: State, frame: Frame, effect: Effect) -> Iterator[str]:
    """The parameters by which the credentials are looked up that the object is made with; none that the guard asks."""
    info, term = frame.info, effect.value_term
    if not isinstance(term, Call):
        return
    secrets = [value for name, value in term.keywords if name and s.models.concept(name) == "credential"]
    minded = {name for test, at in conditions(info, effect.position) for name in origins(info, test, at)}
    for name in own_params(info) - minded:
        if _is_id(name) and any(_is_looked_up(info, secret, name, effect.position) for secret in secrets):
            yield name


def _is_id(name: str) -> bool:
    return name.strip("_").lower().split("_")[-1] in ("id", "uuid")


def _is_looked_up(info: FunctionInfo, secret: Term, name: str, position: int) -> bool:
    return name in origins(info, secret, position) and not (isinstance(secret, Name) and secret.id == name)


def _is_settled(ways: Routes, info: FunctionInfo, name: str) -> bool:
    """Whether all who call a function name one thing once and for all: a constant, a setting."""
    frames = ways.frames_of.get(info, ())
    if any(frame.entry is not None for frame in frames):
        return False
    given = [
        argument(made.term, frame, name)
        for frame in frames
        for caller in frame.callers
        for made in caller.made.values()
        if frame in made.targets
    ]
    return all(term is None or _is_setting(term) for term in given)


def _is_setting(term: Term) -> bool:
    match term:
        case Const():
            return True
        case Name(id=name) | Attr(name=name):
            return name.isupper()
        case _:
            return False


def _suspect(ways: Routes, frame: Frame, effect: Effect, asked: str) -> CacheSuspect:
    info, module = frame.info, frame.info.module
    span = module.span(effect.span)
    return CacheSuspect(
        function=info.qualname,
        span=span,
        statement=module.span(info.function.ops[effect.position].span),
        route=ways.route(frame),
        name=module.source(getattr(effect.place, "span", 0)),
        key="",
        needs=(asked,),
        concept="credential",
        source=span,
        form="slot",
        sure=False,
    )
