"""What a function's result depends on besides its arguments: who asks, as code it runs reads from its surroundings.

Follows calls into the program. What is passed as an argument is no need; whether a key covers a need is judged
elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from leaklint.index.summary import Attr, Call, Const, Eval, Item, Name, Range, Return, Term
from leaklint.project import evaluate
from leaklint.project.lifetimes import isolated
from leaklint.project.program import Module
from leaklint.project.spots import spots
from leaklint.project.state import Frame, State
from leaklint.project.values import Ambient, Atom, External, Instance, Member, Phase

_READING = frozenset((Name, Attr, Item, Call))
_FRAMES = 200  # callees that are looked into
_ASIDE = ("request", "trace", "model")  # ids of calls, not of somebody
_HOLDERS = ("_contextvar", "_context_var", "_ctx_var", "_context", "_ctx", "_var", "_cv", "_proxy")


class Need(NamedTuple):
    """Something about the asker that code reads for itself."""

    concept: str  # "user", "tenant", "session", ...; empty for other request data
    text: str  # as the code says it: `current_user.id`
    module: Module
    span: Range
    frame: Frame


def needs(s: State, frame: Frame) -> Iterator[Need]:
    """What a frame and the code it calls read of the request or session around them."""
    seen, work = {frame}, [frame]
    while work:
        at = work.pop(0)
        yield from read_by(s, at)
        for made in at.made.values():
            for target in made.targets:
                if target not in seen and len(seen) < _FRAMES:
                    seen.add(target)
                    work.append(target)


def read_by(s: State, frame: Frame) -> Iterator[Need]:
    """What a frame itself reads of the request or session around it."""
    info, logged = frame.info, {at for at in range(len(frame.info.function.ops)) if _is_logged(s, frame, at)}
    for spot in spots(info):
        if spot.term.__class__ not in _READING or spot.position in logged:
            continue
        if spot.outer is not None and spot.role == "base" and isinstance(spot.outer.term, (Attr, Item)):
            continue  # told as a whole: `current_user.id`
        concept = _concept(s, frame, spot.term, spot.position)
        if concept is not None and concept not in _ASIDE:
            yield Need(concept, info.module.source(spot.span), info.module, spot.span, frame)


def _concept(s: State, frame: Frame, term: Term, at: int) -> str | None:
    """What a term reads of its surroundings; `None` when it reads nothing."""
    match term:
        case Call(func=Attr(base=base, name="get" | "pop" | "setdefault"), args=(Const(value=str(key)), *_)):
            return _of_holder(s, frame, base, key, at)
        case Call(func=Attr(base=base)):
            made = frame.made.get(term.order)
            models = [s.models.call(f) for f in (made.external if made is not None else ())]
            if any(m is not None and m.gives == "ambient" for m in models):
                return _named(s, base)
            return None
        case Attr(base=base, name=name):
            return _of_holder(s, frame, base, name, at)
        case Item(base=base, key=Const(value=str(key))):
            return _of_holder(s, frame, base, key, at)
        case Name(id=name):
            held = evaluate.evaluate(s, frame, term, at)
            if any(isinstance(a, External) and _gives_request(s, a.fqn) for a in held):
                return s.models.concept(name) or None
    return None


def _of_holder(s: State, frame: Frame, base: Term, name: str, at: int) -> str | None:
    """What `base.name` or `base[name]` is when `base` stands for the request or session around."""
    for atom in evaluate.evaluate(s, frame, base, at):
        if _is_around(s, frame, atom):
            return s.models.concept(name) or _of_outer(s, base)
        if isinstance(atom, External) and _gives_request(s, s.models.canonical(f"{atom.fqn}.{name}")):
            return s.models.concept(name)
    inner = _concept(s, frame, base, at) if isinstance(base, (Attr, Item, Call)) else None
    return None if inner is None else s.models.concept(name) or inner


def _of_outer(s: State, base: Term) -> str:
    match base:
        case Name(id=name) | Attr(name=name):
            return s.models.concept(name) if s.models.concept(name) not in _ASIDE else ""
        case _:
            return ""


def _is_around(s: State, frame: Frame, atom: Atom) -> bool:
    if isinstance(atom, Ambient):
        return False
    if isinstance(atom, External):
        return _gives_request(s, atom.fqn)
    if isinstance(atom, Member):
        return _is_around(s, frame, atom.owner)
    if isinstance(atom, Instance) and atom.cls is None:
        kind = s.models.type(atom.fqn)
        if kind is not None and kind.reads:
            return False  # a way to a database, whoever asks
        holds = kind.holds if kind is not None else ""
        return holds == "request" or (isolated(s, atom) and atom.frame is None and atom.phase is Phase.REQUEST)
    return False


def _gives_request(s: State, fqn: str) -> bool:
    known = s.models.attribute(fqn)
    return known is not None and known.gives == "request"


def _named(s: State, base: Term) -> str | None:
    """The concept of a ContextVar by its name; `None` for those that say nothing of who asks."""
    name = base.id if isinstance(base, Name) else base.name if isinstance(base, Attr) else ""
    plain = name.lower()
    for ending in _HOLDERS:
        plain = plain.removesuffix(ending)
    return s.models.concept(plain) or None


def _is_logged(s: State, frame: Frame, position: int) -> bool:
    op = frame.info.function.ops[position]
    term = op.term if op.__class__ is Eval else op.value if op.__class__ is Return else None
    made = frame.made.get(term.order) if term.__class__ is Call else None
    if made is None or not made.external:
        return False
    models = [s.models.call(f) for f in made.external]
    return any(m is not None and m.log for m in models)
