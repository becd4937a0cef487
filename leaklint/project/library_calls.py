"""Calls into libraries: what the models say they do and give, else what their arguments carry.

No library is named here.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from leaklint.index.summary import ELEMENT, ENTERED, Attr, Call, Const, Star, Term
from leaklint.models import CallModel
from leaklint.project import calls, entries, evaluate, execute
from leaklint.project.state import ITEMS, MADE, PROVIDED, Effect, Frame, Made, State, item_field
from leaklint.project.suspect import Access, Strength
from leaklint.project.values import (
    NOTHING,
    Args,
    Atom,
    ClassValue,
    External,
    FunctionValue,
    Instance,
    Keywords,
    Literal,
    Member,
    Method,
    Partial,
    Phase,
    Taint,
    Token,
    Value,
)


class _Asked(NamedTuple):
    """One call of a library's function, as a frame makes it."""

    frame: Frame
    fqn: str
    receiver: Atom | None
    term: Call
    args: Args
    keywords: Keywords
    at: int  # the operation

    @property
    def all_values(self) -> list[Value]:
        """What it is given, by position or keyword."""
        return [*self.args, *(value for _, value in self.keywords)]

    def argument(self, position: int, keyword: str = "") -> Value:
        """An argument by position or keyword."""
        return argument(self.args, self.keywords, position, keyword)

    def said(self, position: int) -> Term | None:
        """The term of an argument by position."""
        return self.term.args[position] if 0 <= position < len(self.term.args) else None


def library_call(
    s: State,
    frame: Frame,
    fqn: str,
    receiver: Atom | None,
    term: Call,
    args: Args,
    keywords: Keywords,
    at: int,
) -> Value:
    """A call into a library: what the models say, else a new object or whatever the arguments carry."""
    made = frame.made.get(term.order)
    if made is not None and fqn not in made.external:
        frame.made[term.order] = Made(made.term, made.position, made.targets, (*made.external, fqn))
    asked = _Asked(frame, fqn, receiver, term, args, keywords, at)
    model = s.models.call(fqn)
    if model is not None and model.factory:
        made_here = _made_by_factory(s, asked, model)
        default = asked.argument(0 if model.gives == "argument" else -1, "default")
        if made_here or default or model.gives == "argument":
            return made_here or default
        return _unmodelled(s, asked)
    if registrations := s.models.registration(fqn):
        entries.registered(s, frame, registrations, fqn, term, args, keywords)
        if model is None:
            return _result_of_registration(s, asked)
    elif args and (wrapped := entries.wrapped(s, frame, fqn, args[0], term, at)):
        return wrapped
    if model is None:
        return _unmodelled(s, asked)
    if model.memo:
        return _memoised(s, asked)
    ran = _run_functions(s, asked, model)
    if receiver is not None:
        _change_receiver(s, asked, model, receiver)
    return ran | _gives(s, asked, model)


def _result_of_registration(s: State, asked: _Asked) -> Value:
    """What a registration gives back, to be registered with again: `button.click(f).then(g)`."""
    fqn = asked.fqn if asked.fqn.rpartition(".")[2][:1].isupper() else f"{asked.fqn}()"
    return _handed(s, asked.frame, s.instance(None, fqn, asked.frame, asked.term.span))


def _memoised(s: State, asked: _Asked) -> Value:
    """`cache(load)`, `cache_page(60)(view)`: what is wrapped, remembered as such; without it, what will wrap."""
    wrapped = frozenset(a for a in asked.argument(0) if isinstance(a, (FunctionValue, Method)))
    for atom in wrapped:
        info = atom.info if isinstance(atom, FunctionValue) else atom.function.info
        s.memoised.setdefault(info, (asked.term.func, asked.frame))
    return wrapped or frozenset((s.external(asked.fqn),))


def _unmodelled(s: State, asked: _Asked) -> Value:
    frame, fqn, last = asked.frame, asked.fqn, asked.fqn.rpartition(".")[2]
    if asked.receiver is None and last[:1].isupper() and not last.isupper():
        instance = s.instance(None, fqn, frame, asked.term.span)
        keep_arguments(s, instance, asked.args, asked.keywords)
        return _handed(s, frame, instance)
    result = _carried_on(s, asked)
    if asked.receiver is None:
        return result | {s.instance(None, f"{fqn}()", frame, asked.term.span)}
    return result


def _carried_on(s: State, asked: _Asked) -> Value:
    """What nobody knows the call to give."""
    receiver = frozenset((asked.receiver,)) if asked.receiver is not None else NOTHING
    return unknown(s, asked.frame, asked.term, receiver, asked.args, asked.keywords, asked.at)


def _handed(s: State, frame: Frame, instance: Instance) -> Value:
    """A new library object; one that set-up makes may be what a framework hands to requests as its application."""
    made = frozenset((instance,))
    if frame.phase is Phase.SETUP and instance.fqn in s.models.handed:
        s.write(s.the_instance(None, instance.fqn, instance.module, instance.span, Phase.SETUP), MADE, made)
    return made


def _made_by_factory(s: State, asked: _Asked, model: CallModel) -> Value:
    """The objects that a field's factory makes; an id or a time that it makes is another one each time."""
    made = call_each(s, asked.frame, asked.argument(-1, model.factory), asked.term, asked.at)
    objects = (a for a in made if isinstance(a, Instance) and (a.cls or a.fqn[-2:] != "()"))
    return frozenset((*objects, *(a for a in made if isinstance(a, Literal))))


def keep_arguments(s: State, instance: Instance, args: Args, keywords: Keywords) -> None:
    """A library object holds what it was made from; nobody can name it, but it is carried along."""
    for value in args:
        if value:
            s.build(instance, "(argument)", value)
    for key, value in keywords:
        if value:
            s.build(instance, f"({key})" if key else "(argument)", value)


def unknown(s: State, frame: Frame, term: Call, receiver: Value, args: Args, keywords: Keywords, at: int) -> Value:
    """A call nobody knows gives what is personal in its arguments, and may run the functions it is passed."""
    everything = [*args, *[v for _, v in keywords]]
    run_passed(s, frame, term, everything, at)
    found: set[Atom] = set(evaluate.mixed(s, [receiver, *everything]))
    for value in (receiver, *everything):
        found.update(evaluate.carried(s, frame, value, 2))
    if not found:
        return NOTHING
    if any(isinstance(a, (Instance, Member)) for a in receiver):
        found = {a for a in found if not isinstance(a, Token)}  # what a store finds for an id or a time is neither
    return frozenset(found)


def run_passed(s: State, frame: Frame, term: Call, passed: Iterable[Value], at: int) -> None:
    """Run the functions that a call nobody knows is passed, and the methods by which containers lose their items."""
    for value in passed:
        for atom in value:
            if isinstance(atom, (FunctionValue, Method, Partial)) or _takes_out(s, atom):
                calls.call_atom(s, frame, atom, Call(term.func, (), (), term.span, term.order), (), (), at)


def _takes_out(s: State, atom: Atom) -> bool:
    """Whether it is a method by which a container loses what is in it: `task.add_done_callback(tasks.discard)`."""
    return isinstance(atom, Member) and (model := s.models.call(atom.fqn)) is not None and model.removes


def _run_functions(s: State, asked: _Asked, model: CallModel) -> Value:
    """`to_thread(fn, x)`, `Thread(target=...)`, `submit(fn, x)`: the function passed is run with what goes along."""
    if model.runs < 0 and not model.runs_keyword:
        return NOTHING
    frame, term, rest = asked.frame, asked.term, asked.args[model.runs + 1 :]
    given: Args = ()
    terms: tuple[Term, ...] = ()
    passed: Keywords = ()
    if model.arguments == "rest":
        given, terms = rest, term.args[model.runs + 1 :]
        passed = tuple((k, v) for k, v in asked.keywords if k != model.runs_keyword)
    elif model.arguments == "items":
        given = tuple(elements(s, frame, value) for value in rest)
        terms = tuple(Const(None, 0) for _ in given)
    elif model.arguments:
        packed = {k: v for k, v in asked.keywords if k}.get(model.arguments, NOTHING)
        given, terms = (packed,), (Star(Const(None, 0)),)
    found: Value = NOTHING
    for function in asked.argument(model.runs, model.runs_keyword):
        if isinstance(function, (FunctionValue, Method, Partial, Instance, Member)):
            inner = Call(term.func, terms, (), term.span, term.order)
            found = found | calls.call_atom(s, frame, function, inner, given, passed, asked.at)
    return found if not model.gives else NOTHING


def argument(args: Args, keywords: Keywords, position: int, keyword: str = "") -> Value:
    """An argument by position or keyword."""
    if keyword:
        for key, value in keywords:
            if key == keyword:
                return value
    return args[position] if 0 <= position < len(args) else NOTHING


def _change_receiver(s: State, asked: _Asked, model: CallModel, receiver: Atom) -> None:
    """Mutating methods of containers and library objects, as the models describe them."""
    key_term, key = asked.said(model.key), asked.argument(model.key)
    constant = evaluate.constant_key(key_term, key) if key_term is not None else None
    field = ITEMS if constant is None else item_field(constant)

    def keep(access: Access, field: str, key: Value, key_term: Term | None, value: Value, said: Term | None) -> None:
        term, how = asked.term, asked.fqn.rpartition(".")[2]
        place = term.func.base if isinstance(term.func, Attr) else term.func
        effect = Effect(access, receiver, field, place, key, key_term, value, said, how, term.span, asked.at)
        execute.keep(s, asked.frame, effect)

    if model.adds >= 0:
        value, said = asked.argument(model.adds), asked.said(model.adds)
        if model.gives == "elements":
            value = elements(s, asked.frame, value)
            for name, by_keyword in asked.keywords:
                keep(Access.MUTATE, item_field(name), NOTHING, None, by_keyword, None)
        if value or said is not None:
            keep(Access.MUTATE, field, key, key_term, value, said)
    if model.sets:
        keep(Access.STORE, model.sets, NOTHING, None, asked.argument(0), asked.said(0))
    if model.removes:
        keep(Access.DELETE, field, key, key_term, NOTHING, None)


def elements(s: State, frame: Frame, value: Value) -> Value:
    """All items of all containers in a value."""
    found: set[Atom] = set()
    for atom in value:
        if isinstance(atom, (Instance, Member)):
            found.update(s.items(atom, frame))
        else:
            found.update(evaluate.part_of(s, frame, atom, ELEMENT, 0))
    return frozenset(found)


def _gives(s: State, asked: _Asked, model: CallModel) -> Value:
    frame, args, receiver, span = asked.frame, asked.args, asked.receiver, asked.term.span
    found = _read(s, asked, model, receiver) if model.reads and receiver is not None else NOTHING
    match model.gives:
        case "":
            return found if model.reads else found | _default_gives(s, asked, model)
        case "fresh-id":
            return frozenset((s.token(True, "", frame, span),))
        case "colliding-id":
            parts = asked.all_values
            fresh = any(isinstance(a, Token) and a.fresh for v in parts for a in v)
            return frozenset((s.token(False, model.why, frame, span),)) if not fresh else evaluate.mixed(s, parts)
        case "neutral" | "elements":
            return found
        case "isolated":
            made = s.the_instance(None, model.type or asked.fqn, frame.info.module, span, Phase.REQUEST)
            return frozenset((made,))
        case "result":
            return found | call_each(s, frame, asked.argument(0), asked.term, asked.at)
        case "argument":
            return asked.argument(model.argument)
        case "instance":
            instance = s.instance(None, model.type or asked.fqn, frame, span)
            keep_arguments(s, instance, args, asked.keywords)
            return _handed(s, frame, instance)
        case "request":
            return frozenset((s.taint(Strength.IDENTITY if model.concept else Strength.CONTENT, model.concept),))
        case "entered":
            return NOTHING.union(*(evaluate.part_of(s, frame, a, ENTERED, asked.at) for a in asked.argument(0)))
        case "receiver":
            return NOTHING if receiver is None else frozenset((receiver,))
        case "provider":
            return _provider(s, asked)
        case "ambient":
            held = _held_by_context(s, frame, receiver) if receiver is not None else NOTHING
            return held | {s.ambient(_holder_name(receiver, asked.fqn))}
        case "partial":
            rest = tuple((k, v) for k, v in asked.keywords if k)
            return frozenset([s.partial(a, tuple(args[1:]), rest) for a in asked.argument(0)])
        case _:
            return asked.argument(0)


def _read(s: State, asked: _Asked, model: CallModel, receiver: Atom) -> Value:
    """An item of the receiver, or what the call gives where there is none."""
    frame, term, at = asked.frame, asked.term, asked.at
    key_term, key = asked.said(model.key), asked.argument(model.key)
    if isinstance(receiver, Taint):
        return evaluate.element(s, frame, receiver, key_term or Const(None, 0), key, term.span, at)
    if key_term is None:
        return s.items(receiver, frame)
    found = evaluate.element(s, frame, receiver, key_term, key, term.span, at)
    return found | asked.argument(model.key + 1)  # the default of `get`, the new value of `setdefault`


def _provider(s: State, asked: _Asked) -> Value:
    """A provider with the one object that it makes; other providers among the arguments stand for theirs."""
    frame, term = asked.frame, asked.term
    provider = s.instance(None, asked.fqn, frame, term.span)
    given = tuple(provided(s, frame, value) for value in asked.args[1:])
    named = tuple((key, provided(s, frame, value)) for key, value in asked.keywords)
    for maker in asked.argument(0):
        inner = Call(term.func, term.args[1:], term.keywords, term.span, term.order)
        s.build(provider, PROVIDED, calls.call_atom(s, frame, maker, inner, given, named, asked.at))
    return frozenset((provider,))


def provided(s: State, frame: Frame, value: Value) -> Value:
    """A value in which providers are what they provide."""
    found: Value = NOTHING
    for atom in value:
        is_provider = isinstance(atom, Instance) and PROVIDED in s.heap.get(atom, ())
        found = found | (s.read(atom, PROVIDED, frame) if is_provider else frozenset((atom,)))
    return found


def call_each(s: State, frame: Frame, functions: Value, term: Call, at: int) -> Value:
    """What calling a value without arguments gives."""
    found: Value = NOTHING
    for function in functions:
        if isinstance(function, (FunctionValue, Method, Partial, ClassValue, External)):
            inner = Call(term.func, (), (), term.span, term.order)
            found = found | calls.call_atom(s, frame, function, inner, (), (), at)
    return found


def _held_by_context(s: State, frame: Frame, variable: Atom) -> Value:
    """What a context variable was set to anywhere, and the one object that is its default."""
    default = frozenset(a for a in s.read(variable, "(default)", frame) if isinstance(a, Instance))
    held = s.read(variable, "(value)", frame)
    if frame.phase is Phase.REQUEST:
        held = frozenset(a for a in held if not calls._is_of_a_start(a))
    return held | default


def _holder_name(receiver: Atom | None, fqn: str) -> str:
    if isinstance(receiver, Instance):
        return f"{receiver.module.name}:{receiver.span >> 56}"
    return fqn


def _default_gives(s: State, asked: _Asked, model: CallModel) -> Value:
    if model.log or model.adds >= 0 or model.removes or model.sets:
        return NOTHING
    if model.runs >= 0 or model.runs_keyword:
        return evaluate.mixed(s, asked.all_values)
    return _carried_on(s, asked)
