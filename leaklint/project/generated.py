"""Where a generated id becomes an id: the binding, default or argument that a person would change.

Also the ids made of a user's name alone, which no generator was asked for.
"""

from __future__ import annotations

from collections.abc import Iterator

from leaklint.index.summary import Attr, Await, Bind, Blend, Call, Const, How, Item, Kind, Name, Return, Term
from leaklint.models import Models
from leaklint.project import evaluate
from leaklint.project.id_uses import IdUse, id_concept, uses_in
from leaklint.project.lifetimes import Lifetimes
from leaklint.project.origins import Origin, Site, Step, span_of, target_name
from leaklint.project.program import FunctionInfo
from leaklint.project.routes import Routes
from leaklint.project.state import Frame, State
from leaklint.project.suspect import Strength
from leaklint.project.values import NOTHING, Taint, Token

_OF_PROCESS = (
    "instance",
    "process",
    "boot",
    "worker",
    "server",
    "node",
    "pod",
    "host",
    "deployment",
    "build",
    "replica",
)
_CALLERS = 20  # functions that are asked for a name
_NICKNAMES = ("username", "user_name", "nickname", "display_name", "screen_name", "login", "login_name", "first_name")


def is_of_process(name: str) -> bool:
    """Whether a name says that it identifies a process and not a session."""
    return any(word in _OF_PROCESS for word in name.lower().split("_"))


def brought_in(s: State, at: Site, token: Token) -> Origin:
    """What makes a generated value an id."""
    if at.param is not None:
        span = span_of(at.param.default, token.span)
        return Origin("default", at.param.name, span, True)
    if found := _named_binding(s, at.info, token):
        return found
    for step in at.steps:
        match step:
            case Step(Call(keywords=keywords), str(role)) if id_concept(s.models, role):
                value = next(v for k, v in keywords if k == role)
                return Origin("keyword", role, span_of(value, token.span), False, at.op)
    if found := _passed(s, at, token):
        return found
    op = at.op
    if isinstance(op, Bind):
        return Origin(_form(at.info), target_name(op), op.span, False, op)
    if isinstance(op, Return):
        return Origin("return", at.info.function.name, span_of(op.value, op.span), False, op)
    return Origin("argument", "", token.span, False, op)


def _passed(s: State, at: Site, token: Token) -> Origin | None:
    """The argument by which the value reaches a parameter that names an id."""
    frames = s.frames_of.get(at.info, [])
    for number, step in enumerate(at.steps):
        if not isinstance(step.parent, Call) or step.role == "(func)":
            continue
        made = [m for f in frames if (m := f.made.get(step.parent.order)) is not None]
        targets = [t for m in made for t in m.targets]
        for param in (p for t in targets for p in t.info.function.params if token in t.args.get(p.name, ())):
            if id_concept(s.models, param.name):
                inner = at.steps[number + 1].parent if number + 1 < len(at.steps) else at.term
                return Origin("argument", param.name, span_of(inner, token.span), False, at.op)
    return None


def becomes_id(s: State, user: Frame, token: Token) -> tuple[Site, Origin] | None:
    """Where a function, or one that calls it, gives a value made elsewhere the name of an id."""
    work, seen = [user], {user}
    for frame in work:  # grows while it is walked
        how = _named_binding(s, frame.info, token)
        if how is not None and isinstance(how.op, Bind):
            return Site(frame.info, frame.info.function.ops.index(how.op), None, how.op.value, ()), how
        if found := _named_by_callee(s, frame, token):
            return found
        if any(token in value for value in frame.args.values()) and len(seen) < _CALLERS:
            callers = [caller for caller in frame.callers if caller not in seen]
            seen.update(callers)
            work += callers
    return None


def _named_by_callee(s: State, frame: Frame, token: Token) -> tuple[Site, Origin] | None:
    """The argument `make()` of a call whose parameter has the name of an id."""
    for made in frame.made.values():
        for position, term in enumerate(made.term.args):
            if not isinstance(term, (Call, Await)) or token not in evaluate.evaluate(s, frame, term, made.position):
                continue
            for target in made.targets:
                given = target.info.function.params[position + (target.receiver is not None) :][:1]
                if given and id_concept(s.models, given[0].name) and token in target.args.get(given[0].name, NOTHING):
                    how = Origin("argument", given[0].name, span_of(term, token.span), False, None)
                    return Site(frame.info, made.position, None, term, ()), how
    return None


def names_an_id(models: Models, function: str, concept: str) -> bool:
    """Whether a function's name says what it gives, as `session_of` and `resolve_thread` do."""
    words = function.strip("_").split("_")
    return any(models.concept(f"{word}_id") == concept for word in words)


def _form(info: FunctionInfo) -> str:
    match info.function.kind:
        case Kind.MODULE:
            return "module"
        case Kind.CLASS:
            return "class-attribute"
        case _:
            return "assign"


def _named_binding(s: State, info: FunctionInfo, token: Token) -> Origin | None:
    """The first binding of an id's name in the same function that the value flows to."""
    frames = s.frames_of.get(info, [])
    for position, op in enumerate(info.function.ops):
        if not isinstance(op, Bind) or op.how is not How.ASSIGN or not id_concept(s.models, target_name(op)):
            continue
        if isinstance(op.target, Name):
            flows = any(token in f.values[position] for f in frames)
        else:
            flows = any(token in e.value for f in frames for e in f.effects if e.position == position)
        if flows:
            return Origin(_form(info), target_name(op), op.span, False, op)
    return None


# --- ids made of a name ---------------------------------------------------------------------------------------------


def name_alone(s: State, lives: Lifetimes, ways: Routes) -> Iterator[tuple[IdUse, Site, Origin]]:
    """Session ids that are the name of the user, with the first use in the same function."""
    for frame in ways.before:
        for position, op in enumerate(frame.info.function.ops):
            if isinstance(op, Bind) and isinstance(op.target, Name) and _is_name_alone(s.models, frame, op, position):
                use = next((u for u in uses_in(s, lives, frame) if u.occurrence.name == op.target.id), None)
                if use is not None:
                    at = Site(frame.info, position, None, op.value, ())
                    yield use, at, Origin("assign", op.target.id, op.span, False, op)


def _is_name_alone(models: Models, frame: Frame, op: Bind, position: int) -> bool:
    if not isinstance(op.target, Name) or id_concept(models, op.target.id) != "session":
        return False
    if not isinstance(op.value, (Name, Attr, Blend)) or not all(_is_nickname(t) for t in _leaves(op.value)):
        return False
    value = frame.values[position]
    return bool(value) and all(isinstance(a, Taint) and a.strength is Strength.IDENTITY for a in value)


def _leaves(term: Term) -> Iterator[Term]:
    if isinstance(term, Blend):
        for part in term.parts:
            if not isinstance(part, Const):
                yield from _leaves(part)
    else:
        yield term


def _is_nickname(term: Term) -> bool:
    match term:
        case Name(id=name) | Attr(name=name) | Item(key=Const(value=str(name))):
            return name.lower() in _NICKNAMES
        case _:
            return False
