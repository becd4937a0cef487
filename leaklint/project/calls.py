"""Calls: which function a call runs, with what arguments, and what comes back.

Also what goes with calling: making instances, method resolution order, decorators, and running a module's body.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from leaklint.index.summary import ELEMENT, Attr, Call, Const, Kind, Name, ParamKind, Star, Term
from leaklint.models import CallModel
from leaklint.project import entries, evaluate, execute
from leaklint.project.copies import DEEP, copied
from leaklint.project.program import Module
from leaklint.project.state import ITEMS, Effect, Frame, Made, State, grown, item_field
from leaklint.project.suspect import Access, Strength
from leaklint.project.values import (
    ANYTHING,
    NOTHING,
    Anything,
    Atom,
    ClassValue,
    External,
    FunctionValue,
    Instance,
    Literal,
    Member,
    Method,
    Partial,
    Phase,
    Super,
    Taint,
    Token,
    Value,
)

_UNKNOWN: Value = frozenset((ANYTHING,))
Args = tuple[Value, ...]
Keywords = tuple[tuple[str | None, Value], ...]


def call(s: State, frame: Frame, term: Call, func: Value, args: Args, keywords: Keywords, at: int) -> Value:
    """The value of a call; runs what it calls."""
    frame.made[term.order] = Made(term, at, (), ())
    found: Value = NOTHING
    for atom in func:
        value = call_atom(s, frame, atom, term, args, keywords, at)
        found = found | value if found else value
    if func:
        s.resolved += 1
    else:
        s.unresolved += 1
        found = found | unknown(s, frame, term, NOTHING, args, keywords, at)
    return found


def call_atom(s: State, frame: Frame, atom: Atom, term: Call, args: Args, keywords: Keywords, at: int) -> Value:
    """What calling one atom gives."""
    handler = _CALLEES.get(atom.__class__)
    return NOTHING if handler is None else handler(s, frame, atom, term, args, keywords, at)


# --- functions of the program ---------------------------------------------------------------------------------------


def _function(
    s: State, frame: Frame, atom: FunctionValue, term: Call, args: Args, keywords: Keywords, at: int
) -> Value:
    return enter(s, frame, atom, None, term, args, keywords)


def _method(s: State, frame: Frame, atom: Method, term: Call, args: Args, keywords: Keywords, at: int) -> Value:
    return enter(s, frame, atom.function, atom.receiver, term, args, keywords)


def enter(
    s: State,
    frame: Frame,
    function: FunctionValue,
    receiver: Atom | None,
    term: Call,
    args: Args,
    keywords: Keywords,
    phase: Phase | None = None,
) -> Value:
    """Run a function of the program for these arguments."""
    info = function.info
    bound = bind_arguments(s, frame, function, receiver, term, args, keywords)
    signature = tuple([_kind_of(v) for v in bound.values()])
    callee = s.frame(info, function.env, receiver, frame.phase if phase is None else phase, signature)
    changed = _merge(callee, bound)
    if callee.rounds == 0:
        callee.depth = frame.depth + 1
    if frame not in callee.callers:
        callee.callers[frame] = term
    callee.dependents[frame] = None
    made = frame.made.get(term.order)
    if made is not None and callee not in made.targets:
        frame.made[term.order] = made._replace(targets=(*made.targets, callee))
    if changed or callee.rounds == 0:
        execute.visit(s, callee)
    given = _given_back(s, frame, callee, bound) if callee.crowded else callee.returns
    if info.function.is_generator:
        generator = s.instance(None, "builtins.generator", frame, term.span, info.qualname)
        s.build(generator, ITEMS, given)
        return frozenset((generator,))
    return given


def _given_back(s: State, frame: Frame, callee: Frame, bound: dict[str, Value]) -> Value:
    """What a frame that many calls share gives to one of them: not the request data that only others passed."""
    if not any(a.__class__ is Taint for a in callee.returns):
        return callee.returns
    passed = evaluate.carried(s, callee, NOTHING.union(*callee.args.values()), 2)
    own = evaluate.carried(s, frame, NOTHING.union(*bound.values()), 2)
    return callee.returns - (passed - own)


def _kind_of(value: Value) -> object:
    """What tells calls of one function apart: callables and objects passed, and how personal the data is."""
    if not value:
        return None
    strength, count, one = 0, 0, None
    for atom in value:
        kind = atom.__class__
        if kind is Taint:
            strength = max(strength, 2 if atom.strength is Strength.IDENTITY else 1)  # type: ignore[attr-defined]
        elif kind is not Literal and kind is not Token:
            count, one = count + 1, atom
    return (strength, one if count == 1 else count > 0)


def _merge(frame: Frame, bound: dict[str, Value]) -> bool:
    changed = False
    for name, value in bound.items():
        old = frame.args.get(name)
        if old is None:
            frame.args[name] = grown(NOTHING, value)
            changed = True
        elif not value <= old:
            new = grown(old, value)
            changed = changed or new != old
            frame.args[name] = new
    return changed


def bind_arguments(
    s: State,
    frame: Frame,
    function: FunctionValue,
    receiver: Atom | None,
    term: Call,
    args: Args,
    keywords: Keywords,
) -> dict[str, Value]:
    params = function.info.function.params
    bound: dict[str, Value] = {}
    positional = [p for p in params if p.kind in (ParamKind.POSITIONAL, ParamKind.POSITIONAL_ONLY)]
    named = {p.name for p in params if p.kind in (ParamKind.POSITIONAL, ParamKind.KEYWORD)}
    rest = next((p.name for p in params if p.kind is ParamKind.VAR_POSITIONAL), None)
    more = next((p.name for p in params if p.kind is ParamKind.VAR_KEYWORD), None)
    given = list(_spread(s, frame, term.args, args))
    if receiver is not None:
        given.insert(0, frozenset((receiver,)))
    leftover: list[Value] = []
    for position, value in enumerate(given):
        if position < len(positional):
            bound[positional[position].name] = value
        else:
            leftover.append(value)
    extra: dict[str, Value] = {}
    for key, value in _named(s, frame, keywords):
        if key in named:
            bound[key] = bound.get(key, NOTHING) | value
        else:
            extra[key] = extra.get(key, NOTHING) | value
    if rest is not None:
        bound[rest] = _packed(
            s, frame, term, "builtins.tuple", rest, {item_field(i): v for i, v in enumerate(leftover)}
        )
    if more is not None:
        items = {(ITEMS if k == ITEMS else item_field(k)): v for k, v in extra.items()}
        bound[more] = _packed(s, frame, term, "builtins.dict", more, items)
    for param in params:
        if param.name not in bound:
            bound[param.name] = _default(s, function, param.default)
        if bound[param.name] <= _UNKNOWN and param.annotation is not None and function.env is not None:
            bound[param.name] = entries.typed(s, function.env, param.annotation, frame.phase)
    return bound


def _default(s: State, function: FunctionValue, default: Term | None) -> Value:
    if default is None or function.env is None or (default.__class__ is Const and default.value is None):
        return NOTHING
    return evaluate.evaluate(s, function.env, default, _defined_at(function))


def _defined_at(function: FunctionValue) -> int:
    """The position in the defining body from which its names are looked up: its end sees all bindings."""
    assert function.env is not None
    for position in function.env.info.binds().get(function.info.function.name, ()):
        value = function.env.info.function.ops[position].value  # type: ignore[union-attr]
        if getattr(value, "index", -1) == function.info.function.index:
            return position
    return max(len(function.env.info.function.ops) - 1, 0)


def _spread(s: State, frame: Frame, terms: tuple[Term, ...], args: Args) -> Iterable[Value]:
    for position, value in enumerate(args):
        if position >= len(terms) or terms[position].__class__ is not Star:
            yield value
            continue
        for atom in value:
            if isinstance(atom, Instance):
                fields = s.fields(atom, frame)
                count = 0
                while (at := fields.get(item_field(count))) is not None:
                    yield at
                    count += 1
                if not count and ITEMS in fields:
                    yield fields[ITEMS]
            elif isinstance(atom, Taint):
                yield frozenset((atom,))
            break


def _named(s: State, frame: Frame, keywords: Keywords) -> Iterable[tuple[str, Value]]:
    for key, value in keywords:
        if key is not None:
            yield key, value
            continue
        for atom in value:
            if isinstance(atom, (Instance, Member)):
                for name, items in list(s.fields(atom, frame).items()):
                    if name[:2] in ("['", '["'):
                        yield name[2:-2], items
                    elif name == ITEMS:
                        yield ITEMS, items
            elif isinstance(atom, Taint):
                yield ITEMS, frozenset((atom,))


def _packed(s: State, frame: Frame, term: Call, fqn: str, name: str, items: dict[str, Value]) -> Value:
    packed = s.instance(None, fqn, frame, term.span, f"*{name}")
    for key, value in items.items():
        s.build(packed, key, value)
    return frozenset((packed,))


def returned(s: State, frame: Frame, value: Value) -> None:
    """Add to what a frame gives back."""
    if value <= frame.returns:
        return
    more = grown(frame.returns, value)
    if more == frame.returns:
        return
    frame.returns = more
    for dependent in frame.dependents:
        s.enqueue(dependent)


# --- classes --------------------------------------------------------------------------------------------------------


def _class(s: State, frame: Frame, atom: ClassValue, term: Call, args: Args, keywords: Keywords, at: int) -> Value:
    order, _ = mro(s, atom)
    for base in (atom, *order):
        for metaclass in _metaclasses(s, base):
            method = s.read(metaclass, "__call__", frame)
            calls_ = [v for v in method if isinstance(v, FunctionValue)]
            if calls_:
                return enter(s, frame, calls_[0], atom, term, args, keywords)
    return instantiate(s, frame, atom, term, args, keywords, at)


def _metaclasses(s: State, cls: ClassValue) -> Iterable[ClassValue]:
    for key, value_term in cls.info.summary.keywords:
        if key == "metaclass":
            for value in evaluate.evaluate(s, cls.frame, value_term, len(s.ops(cls.frame)) - 1):
                if isinstance(value, ClassValue):
                    yield value


def instantiate(s: State, frame: Frame, cls: ClassValue, term: Call, args: Args, keywords: Keywords, at: int) -> Value:
    """An instance of a class of the program, its initialiser run."""
    made: Value = NOTHING
    for maker in _class_functions(s, frame, cls, "__new__"):
        made = made | enter(s, frame, maker, cls, term, args, keywords)
    instances = {a for a in made if isinstance(a, Instance)}
    if not instances:
        instances = {s.instance(cls, "", frame, term.span)}
    for instance in instances:
        initialised = False
        for init in _class_functions(s, frame, cls, "__init__"):
            enter(s, frame, init, instance, term, args, keywords)
            initialised = True
        if not initialised:
            _fill_fields(s, frame, cls, instance, term, args, keywords)
        for post in _class_functions(s, frame, cls, "__post_init__"):
            enter(s, frame, post, instance, Call(term.func, (), (), term.span, term.order), (), ())
    return frozenset(instances)


def _class_functions(s: State, frame: Frame, cls: ClassValue, name: str) -> list[FunctionValue]:
    for base in mro(s, cls)[0]:
        found = [v for v in s.read(base, name, frame) if isinstance(v, FunctionValue)]
        if found:
            return found
    return []


def _fill_fields(
    s: State, frame: Frame, cls: ClassValue, instance: Instance, term: Call, args: Args, keywords: Keywords
) -> None:
    """Dataclasses, named tuples and data models: arguments become attributes."""
    names: list[str] = []
    for base in reversed(mro(s, cls)[0]):
        names.extend(n for n in base.info.fields if n not in names)
    for position, value in enumerate(_spread(s, frame, term.args, args)):
        if position < len(names):
            s.build(instance, names[position], value)
    for key, value in _named(s, frame, keywords):
        if key != ITEMS:
            s.build(instance, key, value)
        else:
            for name in names:
                s.build(instance, name, value)


def mro(s: State, cls: ClassValue) -> tuple[tuple[ClassValue, ...], tuple[str, ...]]:
    """The classes of the program that a class inherits from, itself first, and the library classes behind them."""
    known = s.orders.get(cls)
    if known is not None:
        return known
    order: list[ClassValue] = []
    externals: list[str] = []

    def visit(atom: Atom) -> None:
        if isinstance(atom, ClassValue):
            if atom in order:
                return
            order.append(atom)
            for base in _sorted_bases(s.bases.get(atom, NOTHING)):
                visit(base)
        elif isinstance(atom, External) and atom.fqn not in externals:
            externals.append(atom.fqn)

    visit(cls)
    s.orders[cls] = tuple(order), tuple(externals)
    return s.orders[cls]


def is_field(s: State, cls: ClassValue, name: str) -> bool:
    """Whether a class body's default is copied for each instance: data classes and data models."""
    return is_data_class(s, cls) and name in cls.info.fields


def is_data_class(s: State, cls: ClassValue) -> bool:
    """Whether instances get their attributes from the annotations of the class body."""
    order, externals = mro(s, cls)
    if any(c in s.data_classes for c in order):
        return True
    return any((kind := s.models.type(base)) is not None and kind.dataclass for base in externals)


def _sorted_bases(bases: Value) -> list[Atom]:
    return sorted(bases, key=lambda b: b.info.qualname if isinstance(b, ClassValue) else getattr(b, "fqn", ""))


# --- instances and library objects ----------------------------------------------------------------------------------


def _instance(s: State, frame: Frame, atom: Instance, term: Call, args: Args, keywords: Keywords, at: int) -> Value:
    if atom.cls is not None:
        found: Value = NOTHING
        for method in evaluate.class_lookup(s, frame, atom, "__call__", term.span, at, NOTHING):
            found = found | call_atom(s, frame, method, term, args, keywords, at)
        return found
    return _library(s, frame, f"{atom.fqn}.__call__", atom, term, args, keywords, at)


def _member(s: State, frame: Frame, atom: Member, term: Call, args: Args, keywords: Keywords, at: int) -> Value:
    if atom.name == "__call__" and isinstance(atom.owner, ClassValue):
        return instantiate(s, frame, atom.owner, term, args, keywords, at)
    if atom.name == "__new__" and args:
        return frozenset(s.instance(a, "", frame, term.span) for a in args[0] if isinstance(a, ClassValue))
    if atom.name == "__init__" and isinstance(atom.owner, Instance) and atom.owner.cls is not None:
        _fill_fields(s, frame, atom.owner.cls, atom.owner, term, args, keywords)
        return NOTHING
    return _library(s, frame, atom.fqn, atom.owner, term, args, keywords, at)


def _external(s: State, frame: Frame, atom: External, term: Call, args: Args, keywords: Keywords, at: int) -> Value:
    special = _BUILTINS.get(atom.fqn)
    if special is not None:
        return special(s, frame, term, args, keywords, at)
    if atom.fqn.endswith(".__new__") and args:
        return frozenset(s.instance(a, "", frame, term.span) for a in args[0] if isinstance(a, ClassValue))
    return _library(s, frame, atom.fqn, None, term, args, keywords, at)


def _library(
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
        frame.made[term.order] = made._replace(external=(*made.external, fqn))
    model = s.models.call(fqn)
    if registrations := s.models.registration(fqn):
        entries.registered(s, frame, registrations, fqn, term, args, keywords)
        if model is None:
            return _result_of_registration(s, frame, fqn, receiver, term)
    if model is None:
        return _unmodelled(s, frame, fqn, receiver, term, args, keywords, at)
    ran = _run_functions(s, frame, model, term, args, keywords, at)
    if receiver is not None:
        _change_receiver(s, frame, model, fqn, receiver, term, args, keywords, at)
    return ran | _gives(s, frame, model, fqn, receiver, term, args, keywords, at)


def _result_of_registration(s: State, frame: Frame, fqn: str, receiver: Atom | None, term: Call) -> Value:
    """What a registration gives back, to be registered with again: `button.click(f).then(g)`."""
    last = fqn.rpartition(".")[2]
    return frozenset((s.instance(None, fqn if last[:1].isupper() else f"{fqn}()", frame, term.span),))


def _unmodelled(
    s: State,
    frame: Frame,
    fqn: str,
    receiver: Atom | None,
    term: Call,
    args: Args,
    keywords: Keywords,
    at: int,
) -> Value:
    last = fqn.rpartition(".")[2]
    if receiver is None and last[:1].isupper() and not last.isupper():
        instance = s.instance(None, fqn, frame, term.span)
        _keep_arguments(s, instance, args, keywords)
        return frozenset((instance,))
    result = unknown(s, frame, term, frozenset((receiver,)) if receiver is not None else NOTHING, args, keywords, at)
    if receiver is None:
        return result | {s.instance(None, f"{fqn}()", frame, term.span)}
    return result


def _keep_arguments(s: State, instance: Instance, args: Args, keywords: Keywords) -> None:
    """A library object holds what it was made from; nobody can name it, but it is carried along."""
    for value in args:
        if value:
            s.build(instance, "(argument)", value)
    for key, value in keywords:
        if value:
            s.build(instance, f"({key})" if key else "(argument)", value)


def unknown(s: State, frame: Frame, term: Call, receiver: Value, args: Args, keywords: Keywords, at: int) -> Value:
    """A call nobody knows gives what is personal in its arguments, and may run the functions it is passed."""
    everything = [*args, *(v for _, v in keywords)]
    for value in everything:
        for atom in value:
            if isinstance(atom, (FunctionValue, Method, Partial)):
                call_atom(s, frame, atom, Call(term.func, (), (), term.span, term.order), (), (), at)
    found: set[Atom] = set(evaluate.mixed(s, [receiver, *everything]))
    for value in (receiver, *everything):
        found.update(evaluate.carried(s, frame, value, 2))
    if any(isinstance(a, (Instance, Member)) for a in receiver):
        found = {a for a in found if not isinstance(a, Token)}  # what a store finds for an id or a time is neither
    return frozenset(found)


def _run_functions(
    s: State, frame: Frame, model: CallModel, term: Call, args: Args, keywords: Keywords, at: int
) -> Value:
    """`to_thread(fn, x)`, `Thread(target=...)`, `submit(fn, x)`: the function passed is run with what goes along."""
    if model.runs < 0 and not model.runs_keyword:
        return NOTHING
    functions = argument(args, keywords, model.runs, model.runs_keyword)
    given: Args = ()
    terms: tuple[Term, ...] = ()
    passed: Keywords = ()
    if model.arguments == "rest":
        given, terms = args[model.runs + 1 :], term.args[model.runs + 1 :]
        passed = tuple((k, v) for k, v in keywords if k != model.runs_keyword)
    elif model.arguments:
        packed = {k: v for k, v in keywords if k}.get(model.arguments, NOTHING)
        given, terms = (packed,), (Star(Const(None, 0)),)
    found: Value = NOTHING
    for function in functions:
        if isinstance(function, (FunctionValue, Method, Partial, Instance, Member)):
            inner = Call(term.func, terms, (), term.span, term.order)
            found = found | call_atom(s, frame, function, inner, given, passed, at)
    return found if not model.gives else NOTHING


def argument(args: Args, keywords: Keywords, position: int, keyword: str = "") -> Value:
    """An argument by position or keyword."""
    if keyword:
        for key, value in keywords:
            if key == keyword:
                return value
    return args[position] if 0 <= position < len(args) else NOTHING


def _change_receiver(
    s: State,
    frame: Frame,
    model: CallModel,
    fqn: str,
    receiver: Atom,
    term: Call,
    args: Args,
    keywords: Keywords,
    at: int,
) -> None:
    """Mutating methods of containers and library objects, as the models describe them."""
    how = fqn.rpartition(".")[2]
    place = term.func.base if isinstance(term.func, Attr) else term.func
    key_term = term.args[model.key] if 0 <= model.key < len(term.args) else None
    key = args[model.key] if 0 <= model.key < len(args) else NOTHING
    constant = evaluate.constant_key(key_term, key) if key_term is not None else None
    field = ITEMS if constant is None else item_field(constant)
    if model.adds >= 0:
        value = args[model.adds] if model.adds < len(args) else NOTHING
        value_term = term.args[model.adds] if model.adds < len(term.args) else None
        if model.gives == "elements":
            value = elements(s, frame, value)
        for name, keyword_value in keywords if model.gives == "elements" else ():
            _effect(
                s,
                frame,
                Access.MUTATE,
                receiver,
                item_field(name),
                place,
                NOTHING,
                None,
                keyword_value,
                None,
                how,
                term,
                at,
            )
        if value or value_term is not None:
            _effect(s, frame, Access.MUTATE, receiver, field, place, key, key_term, value, value_term, how, term, at)
    if model.sets:
        value = args[0] if args else NOTHING
        value_term = term.args[0] if term.args else None
        _effect(s, frame, Access.STORE, receiver, model.sets, place, NOTHING, None, value, value_term, how, term, at)
    if model.removes:
        _effect(s, frame, Access.DELETE, receiver, field, place, key, key_term, NOTHING, None, how, term, at)


def _effect(
    s: State,
    frame: Frame,
    access: Access,
    holder: Atom,
    field: str,
    place: Term,
    key: Value,
    key_term: Term | None,
    value: Value,
    value_term: Term | None,
    how: str,
    term: Call,
    at: int,
) -> None:
    execute.keep(s, frame, Effect(access, holder, field, place, key, key_term, value, value_term, how, term.span, at))


def elements(s: State, frame: Frame, value: Value) -> Value:
    """All items of all containers in a value."""
    found: set[Atom] = set()
    for atom in value:
        if isinstance(atom, (Instance, Member)):
            found.update(s.items(atom, frame))
        else:
            found.update(evaluate.part_of(s, frame, atom, ELEMENT, 0))
    return frozenset(found)


def _gives(
    s: State,
    frame: Frame,
    model: CallModel,
    fqn: str,
    receiver: Atom | None,
    term: Call,
    args: Args,
    keywords: Keywords,
    at: int,
) -> Value:
    found: Value = NOTHING
    if model.reads and receiver is not None:
        key_term = term.args[model.key] if 0 <= model.key < len(term.args) else None
        key = args[model.key] if 0 <= model.key < len(args) else NOTHING
        if isinstance(receiver, Taint):
            found = evaluate.element(s, frame, receiver, key_term or Const(None, 0), key, term.span, at)
        elif key_term is None:
            found = s.items(receiver, frame)
        else:
            found = evaluate.element(s, frame, receiver, key_term, key, term.span, at)
            for extra in args[model.key + 1 : model.key + 2]:
                found = found | extra  # the default of `get`, the new value of `setdefault`
    match model.gives:
        case "":
            return found if model.reads else found | _default_gives(s, frame, model, receiver, term, args, keywords, at)
        case "fresh-id":
            return frozenset((s.token(True, "", frame, term.span),))
        case "colliding-id":
            parts = [*args, *(v for _, v in keywords)]
            fresh = any(isinstance(a, Token) and a.fresh for v in parts for a in v)
            return frozenset((s.token(False, model.why, frame, term.span),)) if not fresh else evaluate.mixed(s, parts)
        case "neutral" | "elements":
            return found
        case "isolated":
            return frozenset((s.the_instance(None, model.type or fqn, frame.info.module, term.span, Phase.REQUEST),))
        case "result":
            return found | call_each(s, frame, args[0] if args else NOTHING, term, at)
        case "argument":
            return argument(args, keywords, model.argument)
        case "instance":
            instance = s.instance(None, model.type or fqn, frame, term.span)
            _keep_arguments(s, instance, args, keywords)
            return frozenset((instance,))
        case "request":
            return frozenset((s.taint(Strength.IDENTITY if model.concept else Strength.CONTENT, model.concept),))
        case "ambient":
            held = _held_by_context(s, frame, receiver) if receiver is not None else NOTHING
            return held | {s.ambient(_holder_name(receiver, fqn))}
        case "partial":
            rest = tuple((k, v) for k, v in keywords if k)
            return frozenset(Partial(a, args[1:], rest) for a in args[0]) if args else NOTHING
        case _:
            return args[0] if args else NOTHING


def call_each(s: State, frame: Frame, functions: Value, term: Call, at: int) -> Value:
    """What calling a value without arguments gives."""
    found: Value = NOTHING
    for function in functions:
        if isinstance(function, (FunctionValue, Method, Partial, ClassValue)):
            inner = Call(term.func, (), (), term.span, term.order)
            found = found | call_atom(s, frame, function, inner, (), (), at)
    return found


def _held_by_context(s: State, frame: Frame, variable: Atom) -> Value:
    """What a context variable was set to anywhere, and the one object that is its default."""
    default = frozenset(a for a in s.read(variable, "(default)", frame) if isinstance(a, Instance))
    held = s.read(variable, "(value)", frame)
    if frame.phase is Phase.REQUEST:
        held = frozenset(a for a in held if not _is_of_a_start(a))
    return held | default


def _is_of_a_start(atom: Atom) -> bool:
    """Whether a function made the object for a run that is no request: requests have a context of their own."""
    made_in = atom.frame if isinstance(atom, Instance) and atom.phase is Phase.SETUP else None
    return made_in is not None and made_in.info.function.kind is Kind.FUNCTION


def _holder_name(receiver: Atom | None, fqn: str) -> str:
    if isinstance(receiver, Instance):
        return f"{receiver.module.name}:{receiver.span >> 56}"
    return fqn


def _default_gives(
    s: State,
    frame: Frame,
    model: CallModel,
    receiver: Atom | None,
    term: Call,
    args: Args,
    keywords: Keywords,
    at: int,
) -> Value:
    if model.log or model.adds >= 0 or model.removes or model.sets:
        return NOTHING
    if model.runs >= 0 or model.runs_keyword:
        return evaluate.mixed(s, [*args, *(v for _, v in keywords)])
    return unknown(s, frame, term, frozenset((receiver,)) if receiver is not None else NOTHING, args, keywords, at)


def _partial(s: State, frame: Frame, atom: Partial, term: Call, args: Args, keywords: Keywords, at: int) -> Value:
    given = (*atom.args, *args)
    terms = (*(Const(None, 0) for _ in atom.args), *term.args)
    inner = Call(term.func, terms, (), term.span, term.order)
    return call_atom(s, frame, atom.func, inner, given, (*atom.keywords, *keywords), at)


def _anything(s: State, frame: Frame, atom: Anything, term: Call, args: Args, keywords: Keywords, at: int) -> Value:
    return unknown(s, frame, term, NOTHING, args, keywords, at) | {atom}


def _taint(s: State, frame: Frame, atom: Taint, term: Call, args: Args, keywords: Keywords, at: int) -> Value:
    """A method of request data: what it gives is as personal as the data; `get("user_id")` is an id by its key."""
    name = evaluate.constant_key(term.args[0], args[0]) if args and term.args else None
    default = argument(args, keywords, 1, "default") if isinstance(name, str) else NOTHING
    constants = frozenset(a for a in default if isinstance(a, (Literal, Token)))
    if isinstance(name, str) and (concept := s.models.concept(name)):
        return frozenset((s.taint(Strength.IDENTITY, concept),)) | constants
    return frozenset((atom,)) | constants


def _token(s: State, frame: Frame, atom: Token, term: Call, args: Args, keywords: Keywords, at: int) -> Value:
    """A method of a generated id or of a time gives the same in another form."""
    return evaluate.mixed(s, [frozenset((atom,)), *args, *(v for _, v in keywords)])


# --- builtins with a meaning of their own in the language -----------------------------------------------------------


def _getattr(s: State, frame: Frame, term: Call, args: Args, keywords: Keywords, at: int) -> Value:
    name = evaluate.constant_key(term.args[1], args[1]) if len(args) > 1 else None
    if not isinstance(name, str):
        return NOTHING
    found = args[2] if len(args) > 2 else NOTHING
    for atom in args[0]:
        found = found | evaluate.attribute(s, frame, atom, name, term.span, at)
    return found


def _setattr(s: State, frame: Frame, term: Call, args: Args, keywords: Keywords, at: int) -> Value:
    name = evaluate.constant_key(term.args[1], args[1]) if len(args) > 2 else None
    if isinstance(name, str):
        place = Attr(term.args[0], name, term.span)
        for atom in args[0]:
            execute.keep(
                s,
                frame,
                Effect(Access.STORE, atom, name, place, NOTHING, None, args[2], term.args[2], "setattr", term.span, at),
            )
    return NOTHING


def _delattr(s: State, frame: Frame, term: Call, args: Args, keywords: Keywords, at: int) -> Value:
    name = evaluate.constant_key(term.args[1], args[1]) if len(args) > 1 else None
    if isinstance(name, str):
        place = Attr(term.args[0], name, term.span)
        for atom in args[0]:
            execute.keep(
                s,
                frame,
                Effect(Access.DELETE, atom, name, place, NOTHING, None, NOTHING, None, "delattr", term.span, at),
            )
    return NOTHING


def _super(s: State, frame: Frame, term: Call, args: Args, keywords: Keywords, at: int) -> Value:
    """A stand-in whose attributes are those of the classes behind the one that says `super()`."""
    scope: Frame | None = frame
    while scope is not None and scope.info.owner is None:
        scope = scope.env
    if scope is None or scope.info.owner is None:
        return NOTHING
    function = scope.info.function
    receiver = scope.receiver
    if receiver is None and function.params:
        first = scope.args.get(function.params[0].name, NOTHING)
        receiver = next(iter(first), None)
    defining = next((c for c in _classes_of(s, receiver) if c.info is scope.info.owner), None)
    if receiver is None or defining is None:
        return NOTHING
    return frozenset((s.super_of(defining, receiver),))


def _classes_of(s: State, receiver: Atom | None) -> tuple[ClassValue, ...]:
    if isinstance(receiver, Instance) and receiver.cls is not None:
        return mro(s, receiver.cls)[0]
    if isinstance(receiver, ClassValue):
        metas = tuple(c for m in _metaclasses(s, receiver) for c in mro(s, m)[0])
        return (*mro(s, receiver)[0], *metas)
    return ()


def super_attribute(s: State, frame: Frame, atom: Super, name: str, span: int, at: int) -> Value:
    """An attribute looked up behind the defining class."""
    order = _classes_of(s, atom.receiver)
    start = order.index(atom.defining) + 1 if atom.defining in order else len(order)
    for cls in order[start:]:
        found = [v for v in s.read(cls, name, frame) if isinstance(v, FunctionValue)]
        if found:
            return frozenset(s.method(v, atom.receiver) for v in found)
    externals = mro(s, atom.defining)[1]
    fqn = f"{externals[0]}.{name}" if externals else f"builtins.object.{name}"
    return frozenset((s.member(atom.receiver, name, fqn),))


def _next(s: State, frame: Frame, term: Call, args: Args, keywords: Keywords, at: int) -> Value:
    """`next(x)` is `x.__next__()`, where the class or a model says what that is."""
    found: Value = NOTHING
    for atom in args[0] if args else NOTHING:
        for method in evaluate.attribute(s, frame, atom, "__next__", term.span, at):
            if isinstance(method, Method) or (isinstance(method, Member) and s.models.call(method.fqn) is not None):
                inner = Call(term.func, (), (), term.span, term.order)
                found = found | call_atom(s, frame, method, inner, (), (), at)
    return found or _library(s, frame, "builtins.next", None, term, args, keywords, at)


def _type(s: State, frame: Frame, term: Call, args: Args, keywords: Keywords, at: int) -> Value:
    if len(args) != 1:
        return NOTHING
    return frozenset(a.cls for a in args[0] if isinstance(a, Instance) and a.cls is not None)


def _container(fqn: str) -> Callable[[State, Frame, Call, Args, Keywords, int], Value]:
    """`list(x)`, `dict(a=1)`: a new container with the items of the old."""

    def make(s: State, frame: Frame, term: Call, args: Args, keywords: Keywords, at: int) -> Value:
        instance = s.instance(None, fqn, frame, term.span)
        for value in args:
            s.build(instance, ITEMS, elements(s, frame, value) | evaluate.mixed(s, [value]))
        for key, value in keywords:
            s.build(instance, item_field(key) if key else ITEMS, value)
        return frozenset((instance,))

    return make


def _copying(depth: int) -> Callable[[State, Frame, Call, Args, Keywords, int], Value]:
    def make(s: State, frame: Frame, term: Call, args: Args, keywords: Keywords, at: int) -> Value:
        return copied(s, frame, args[0], term.span, depth) if args else NOTHING

    return make


def import_module(s: State, module: Module) -> Frame:
    """Run a module's body once."""
    frame = s.module_frames.get(module)
    if frame is None:
        script = s.scripts.get(module)
        frame = s.frame(module.functions[0], None, None, Phase.SETUP if script is None else Phase.REQUEST, ())
        s.module_frames[module] = frame
        if script is not None:
            entries.add_script(s, frame, script)
        execute.visit(s, frame)
    return frame


def initialise(s: State, frame: Frame, instance: Atom) -> None:
    """Run the initialiser of an instance that nobody was seen to make."""
    if not isinstance(instance, Instance) or instance.cls is None:
        return
    term = Call(Name("", 0), (), (), instance.span, -1)
    for init in _class_functions(s, frame, instance.cls, "__init__"):
        enter(s, frame, init, instance, term, (), (), instance.phase)


_CALLEES: dict[type[Atom], Callable[[State, Frame, Any, Call, Args, Keywords, int], Value]] = {
    FunctionValue: _function,
    Method: _method,
    ClassValue: _class,
    Instance: _instance,
    Member: _member,
    External: _external,
    Partial: _partial,
    Taint: _taint,
    Anything: _anything,
    Token: _token,
}
_BUILTINS: dict[str, Callable[[State, Frame, Call, Args, Keywords, int], Value]] = {
    "builtins.getattr": _getattr,
    "builtins.setattr": _setattr,
    "builtins.delattr": _delattr,
    "builtins.next": _next,
    "builtins.super": _super,
    "builtins.type": _type,
    "builtins.list": _container("builtins.list"),
    "builtins.dict": _container("builtins.dict"),
    "builtins.set": _container("builtins.set"),
    "builtins.tuple": _container("builtins.tuple"),
    "builtins.frozenset": _container("builtins.frozenset"),
    "builtins.sorted": _container("builtins.list"),
    "copy.copy": _copying(1),
    "copy.deepcopy": _copying(DEEP),
    "builtins.reversed": _container("builtins.list"),
}
