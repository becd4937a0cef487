"""Calls: which function a call runs, with what arguments, and what comes back.

Also what goes with calling: making instances, method resolution order, decorators, and running a module's body.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from leaklint.index.summary import Call, Const, Kind, Name, Star, Term
from leaklint.project import annotated, builtin_calls, entries, evaluate, execute, library_calls
from leaklint.project.program import ClassInfo, Module
from leaklint.project.state import ITEMS, PROVIDED, Find, Frame, Made, Selector, State, grown, item_field
from leaklint.project.suspect import Strength
from leaklint.project.values import (
    ANYTHING,
    NOTHING,
    SETUP,
    Anything,
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

_IDENTITY = Strength.IDENTITY  # looked up once
_UNKNOWN: Value = frozenset((ANYTHING,))


def call(s: State, frame: Frame, term: Call, func: Value, args: Args, keywords: Keywords, at: int) -> Value:
    """The value of a call; runs what it calls."""
    frame.made[term.order] = Made(term, at, (), ())
    if term.func.__class__ is Call and args and (wrapped := entries.decorated_by_call(s, frame, term, args[0], at)):
        return wrapped
    found: Value = NOTHING
    for atom in _callable(func) or func:
        handler = _CALLEES.get(atom.__class__)
        if handler is not None:
            value = handler(s, frame, atom, term, args, keywords, at)
            found = found | value if found else value
    if not func:
        found = found | library_calls.unknown(s, frame, term, NOTHING, args, keywords, at)
    return found


def _callable(func: Value) -> Value:
    """The functions in a value that a request chose by a key; nothing where there are none, or nothing else."""
    for atom in func:
        if atom.__class__ is Taint:
            return frozenset(a for a in func if isinstance(a, (FunctionValue, Method, ClassValue, Partial)))
    return NOTHING


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
    apart: tuple[object, ...] = (),
) -> Value:
    """Run a function of the program for these arguments, and `apart` from its other calls."""
    info = function.info
    bound = bind_arguments(s, frame, function, receiver, term, args, keywords)
    known = s.likenesses
    signature = (*[known[v] if v in known else _kind(s, v) for v in bound.values()], *apart)
    callee = s.frame(info, function.env, receiver, frame.phase if phase is None else phase, signature)
    changed = merge(s, callee, bound)
    if callee.rounds == 0:
        callee.depth = frame.depth + 1
    if frame not in callee.callers:
        callee.callers[frame] = term
    made = frame.made.get(term.order)
    if made is not None and callee not in made.targets:
        frame.made[term.order] = Made(made.term, made.position, (*made.targets, callee), made.external)
    if changed or callee.rounds == 0:
        asking = callee.dependents.pop(frame, 0)
        if others := asking & ~frame.bit:
            callee.dependents[frame] = others
        execute.visit(s, callee)
        callee.dependents[frame] = asking | frame.bit
    else:
        callee.dependents[frame] = callee.dependents.get(frame, 0) | frame.bit
    given = _given_back(s, frame, callee, bound) if callee.crowded else callee.returns
    if info.function.is_generator:
        generator = s.instance(None, "builtins.generator", frame, term.span, info.qualname)
        s.build(generator, ITEMS, given)
        return frozenset((generator,))
    return given


def _given_back(s: State, frame: Frame, callee: Frame, bound: dict[str, Value]) -> Value:
    """What a frame that many calls share gives to one of them: not the request data that only others passed."""
    for atom in callee.returns:
        if atom.__class__ is Taint:
            break
    else:
        return callee.returns
    passed = evaluate.carried(s, callee, NOTHING.union(*callee.args.values()), 2)
    own = evaluate.carried(s, frame, NOTHING.union(*bound.values()), 2)
    return callee.returns - (passed - own)


def _kind(s: State, value: Value) -> object:
    known = s.likenesses[value] = _kind_of(s, value)
    return known


def _kind_of(s: State, value: Value) -> object:
    """What tells calls of one function apart: callables and objects passed, and how personal the data is.

    The name of a module is one of these too: a function that is given it will look something up there.
    """
    if not value:
        return None
    strength, count, one = 0, 0, None
    for atom in value:
        kind = atom.__class__
        if kind is Taint:
            strength = max(strength, 2 if atom.strength is _IDENTITY else 1)  # type: ignore[attr-defined]
        elif kind is Literal:
            if atom.value.__class__ is str and s.program.is_module_name(atom.value):  # type: ignore[attr-defined]
                if atom.value != atom.module.name:  # type: ignore[attr-defined]  # `__name__` is said for logs
                    return Selector(atom.value)  # type: ignore[attr-defined]
        elif kind is not Token:
            count, one = count + 1, atom
    return (strength, one if count == 1 else count > 0)


def merge(s: State, frame: Frame, bound: dict[str, Value]) -> bool:
    """Add to the arguments of a frame; whether they grew."""
    changed = False
    for name, value in bound.items():
        old = frame.args.get(name)
        if old is not value and (old is None or not value <= old):
            new = grown(old or NOTHING, value)
            if new != old:
                frame.args[name] = new
                frame.todo |= frame.info.users(name)
                s.wake(frame, name)
                changed = True
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
    """The value of each parameter for these arguments: given, packed into `*args` and `**kwargs`, or its default."""
    info = function.info
    positional, by_name, rest, more = info.signature
    given = spread_arguments(s, frame, term.args, args)
    if receiver is not None:
        given.insert(0, frozenset((receiver,)))
    bound: dict[str, Value] = dict(zip(positional, given, strict=False))
    leftover = given[len(positional) :] if len(given) > len(positional) else []
    extra: dict[str, Value] = {}
    for key, value in named_arguments(s, frame, keywords) if keywords else ():
        into = bound if key in by_name else extra
        into[key] = into[key] | value if key in into else value
    if rest is not None:
        items = {item_field(i): v for i, v in enumerate(leftover)}
        whose = "" if receiver is None or positional else f" {receiver:.0f}"  # else it is among the items
        bound[rest] = _packed(s, frame, term, "builtins.tuple", f"{rest}{whose}", items)
    if more is not None:
        items = {(ITEMS if k == ITEMS else item_field(k)): v for k, v in extra.items()}
        bound[more] = _packed(s, frame, term, "builtins.dict", more, items)
    for param in info.function.params:
        known = bound.get(param.name)
        if known is None:
            known = bound[param.name] = default(s, function, param.default) if param.default is not None else NOTHING
        if param.annotation is not None and known <= _UNKNOWN and function.env is not None:
            bound[param.name] = annotated.typed(s, function.env, param.annotation, frame.phase)
    return bound


def default(s: State, function: FunctionValue, term: Term | None) -> Value:
    """The value of a parameter's default."""
    if term is None or function.env is None or (term.__class__ is Const and term.value is None):
        return NOTHING
    return evaluate.evaluate(s, function.env, term, function.info.defined_at)


def spread_arguments(s: State, frame: Frame, terms: tuple[Term, ...], args: Args) -> list[Value]:
    """Positional arguments one by one, `*args` taken apart."""
    for term in terms:
        if term.__class__ is Star:
            return list(_spread(s, frame, terms, args))
    return list(args)


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


def named_arguments(s: State, frame: Frame, keywords: Keywords) -> Iterable[tuple[str, Value]]:
    """Keyword arguments one by one, `**kwargs` taken apart; items under unknown keys come as `ITEMS`."""
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
    for dependent, operations in frame.dependents.items():
        s.enqueue(dependent, operations)


# --- classes --------------------------------------------------------------------------------------------------------


def _class(s: State, frame: Frame, atom: ClassValue, term: Call, args: Args, keywords: Keywords, at: int) -> Value:
    order, _ = mro(s, atom)
    for base in (atom, *order):
        for metaclass in metaclasses(s, base):
            method = s.read(metaclass, "__call__", frame)
            calls_ = [v for v in method if isinstance(v, FunctionValue)]
            if calls_:
                return enter(s, frame, calls_[0], atom, term, args, keywords)
    return instantiate(s, frame, atom, term, args, keywords, at)


def metaclasses(s: State, cls: ClassValue) -> Iterable[ClassValue]:
    """The metaclass that a class statement names, if the program defines it."""
    for key, value_term in cls.info.summary.keywords:
        if key == "metaclass":
            for value in evaluate.evaluate(s, cls.frame, value_term, len(s.ops(cls.frame)) - 1):
                if isinstance(value, ClassValue):
                    yield value


def instantiate(s: State, frame: Frame, cls: ClassValue, term: Call, args: Args, keywords: Keywords, at: int) -> Value:
    """An instance of a class of the program, its initialiser run."""
    made: Value = NOTHING
    for maker in class_functions(s, frame, cls, "__new__"):
        made = made | enter(s, frame, maker, cls, term, args, keywords)
    instances = {a for a in made if isinstance(a, Instance)}
    if not instances:
        instances = {s.instance(cls, "", frame, term.span)}
    for instance in instances:
        initialised = False
        for init in class_functions(s, frame, cls, "__init__"):
            enter(s, frame, init, instance, term, args, keywords)
            initialised = True
        if not initialised:
            fill_fields(s, frame, cls, instance, term, args, keywords)
        for post in class_functions(s, frame, cls, "__post_init__"):
            enter(s, frame, post, instance, Call(term.func, (), (), term.span, term.order), (), ())
    return frozenset(instances)


def class_functions(s: State, frame: Frame, cls: ClassValue, name: str) -> list[FunctionValue]:
    """The functions that instances of a class find under a name; those of the nearest class that has any."""
    find = named(s, frame, cls, name)
    if find.owner is None:
        return []
    if found := [v for v in find.value if isinstance(v, FunctionValue)]:
        return found
    for base in mro(s, cls)[0]:
        found = [v for v in s.read(base, name, frame) if isinstance(v, FunctionValue)]
        if found:
            return found
    return []


def named(s: State, frame: Frame, cls: ClassValue, name: str) -> Find:
    """What the nearest of a class and its bases has under a name, looked at again when that changes."""
    find = s.finds.get((cls, name))
    if find is None:
        find = s.finds[cls, name] = Find()
    if find.stale:
        _look_for(s, find, cls, name)
    if frame.bit or frame in s.filled:
        find.readers[frame] = find.readers.get(frame, 0) | frame.bit
    return find


def _look_for(s: State, find: Find, cls: ClassValue, name: str) -> None:
    find.owner, find.value, find.stale = None, NOTHING, False
    for base in mro(s, cls)[0]:
        s.sought.setdefault((base, name), {})[find] = None
        fields = s.heap.get(base)
        if fields is not None and (value := fields.get(name)):
            find.owner, find.value = base, value
            return


def fill_fields(
    s: State, frame: Frame, cls: ClassValue, instance: Instance, term: Call, args: Args, keywords: Keywords
) -> None:
    """Dataclasses, named tuples and data models: arguments become attributes."""
    names: list[str] = []
    for base in reversed(mro(s, cls)[0]):
        names.extend([n for n in base.info.fields if n not in names])
    for position, value in enumerate(spread_arguments(s, frame, term.args, args)):
        if position < len(names):
            s.build(instance, names[position], value)
    for key, value in named_arguments(s, frame, keywords):
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
            s.ordered.add(atom)
            for base in _sorted_bases(s.bases.get(atom, NOTHING)):
                visit(base)
        elif isinstance(atom, External) and atom.fqn not in externals:
            externals.append(atom.fqn)

    visit(cls)
    s.orders[cls] = tuple(order), tuple(externals)
    return s.orders[cls]


def heirs(s: State, info: ClassInfo) -> Iterable[ClassValue]:
    """In a solved program the classes that inherit from one, and that one, in the order in which they came to be."""
    if not s.heirs:
        for cls in s.bases:
            for base in mro(s, cls)[0]:
                s.heirs.setdefault(base.info, {})[cls] = None
    return s.heirs.get(info, ())


def is_field(s: State, cls: ClassValue, name: str) -> bool:
    """Whether a class body's default is copied for each instance: data classes and data models."""
    return name in cls.info.fields and is_data_class(s, cls)


def is_data_class(s: State, cls: ClassValue) -> bool:
    """Whether instances get their attributes from the annotations of the class body."""
    order, externals = mro(s, cls)
    if not s.data_classes.isdisjoint(order):
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
    if PROVIDED in s.heap.get(atom, ()):
        return s.read(atom, PROVIDED, frame)
    return library_calls.library_call(s, frame, f"{atom.fqn}.__call__", atom, term, args, keywords, at)


def _member(s: State, frame: Frame, atom: Member, term: Call, args: Args, keywords: Keywords, at: int) -> Value:
    if atom.name == "__call__" and isinstance(atom.owner, ClassValue):
        return instantiate(s, frame, atom.owner, term, args, keywords, at)
    if atom.name == "__new__" and args:
        return frozenset(s.instance(a, "", frame, term.span) for a in args[0] if isinstance(a, ClassValue))
    if isinstance(atom.owner, Literal) and not args:
        return builtin_calls.text_method(s, atom.owner, atom.name, frame.info.module, term.span)
    if atom.name == "__init__" and isinstance(atom.owner, Instance) and atom.owner.cls is not None:
        made = atom.fqn.removesuffix(".__init__")
        if registrations := s.models.registration(made):
            entries.registered(s, frame, registrations, made, term, args, keywords)
        fill_fields(s, frame, atom.owner.cls, atom.owner, term, args, keywords)
        return NOTHING
    return library_calls.library_call(s, frame, atom.fqn, atom.owner, term, args, keywords, at)


def _external(s: State, frame: Frame, atom: External, term: Call, args: Args, keywords: Keywords, at: int) -> Value:
    special = builtin_calls.BUILTINS.get(atom.fqn)
    if special is not None:
        return special(s, frame, term, args, keywords, at)
    if atom.fqn.endswith(".__new__") and args:
        return frozenset(s.instance(a, "", frame, term.span) for a in args[0] if isinstance(a, ClassValue))
    return library_calls.library_call(s, frame, atom.fqn, None, term, args, keywords, at)


def _is_of_a_start(atom: Atom) -> bool:
    """Whether a function made the object for a run that is no request: requests have a context of their own."""
    made_in = atom.frame if isinstance(atom, Instance) and atom.phase is SETUP else None
    return made_in is not None and made_in.info.function.kind is Kind.FUNCTION


def _partial(s: State, frame: Frame, atom: Partial, term: Call, args: Args, keywords: Keywords, at: int) -> Value:
    given = (*atom.args, *args)
    terms = (*(Const(None, 0) for _ in atom.args), *term.args)
    inner = Call(term.func, terms, (), term.span, term.order)
    return call_atom(s, frame, atom.func, inner, given, (*atom.keywords, *keywords), at)


def _anything(s: State, frame: Frame, atom: Anything, term: Call, args: Args, keywords: Keywords, at: int) -> Value:
    return library_calls.unknown(s, frame, term, NOTHING, args, keywords, at) | {atom}


def _taint(s: State, frame: Frame, atom: Taint, term: Call, args: Args, keywords: Keywords, at: int) -> Value:
    """A method of request data: what it gives is as personal as the data; `get("user_id")` is an id by its key."""
    library_calls.run_passed(s, frame, term, (*args, *(v for _, v in keywords)), at)
    name = evaluate.constant_key(term.args[0], args[0]) if args and term.args else None
    default = library_calls.argument(args, keywords, 1, "default") if isinstance(name, str) else NOTHING
    constants = frozenset(a for a in default if isinstance(a, (Literal, Token)))
    if isinstance(name, str) and (concept := s.models.concept(name)):
        return frozenset((s.taint(Strength.IDENTITY, concept),)) | constants
    return frozenset((atom,)) | constants


def _token(s: State, frame: Frame, atom: Token, term: Call, args: Args, keywords: Keywords, at: int) -> Value:
    """A method of a generated id or of a time gives the same in another form."""
    return evaluate.mixed(s, [frozenset((atom,)), *args, *(v for _, v in keywords)])


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
    for init in class_functions(s, frame, instance.cls, "__init__"):
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
