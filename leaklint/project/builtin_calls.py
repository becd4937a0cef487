"""Calls of builtins that have a meaning of their own in the language: `getattr`, `super`, `type`, copies.

No library is named here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from leaklint.index.summary import Attr, Blend, Call, Const, Term
from leaklint.project import calls, evaluate, execute, library_calls
from leaklint.project.copies import DEEP, copied
from leaklint.project.program import Module
from leaklint.project.state import ITEMS, Effect, Frame, State, item_field
from leaklint.project.suspect import Access
from leaklint.project.values import (
    NOTHING,
    Args,
    Atom,
    ClassValue,
    FunctionValue,
    Instance,
    Keywords,
    Literal,
    Member,
    Method,
    ModuleValue,
    Super,
    Value,
)

TEXT_METHODS: dict[str, Callable[[str], str]] = {
    "lower": str.lower,
    "upper": str.upper,
    "casefold": str.casefold,
    "capitalize": str.capitalize,
    "title": str.title,
    "strip": str.strip,
}


def _getattr(s: State, frame: Frame, term: Call, args: Args, keywords: Keywords, at: int) -> Value:
    name = evaluate.constant_key(term.args[1], args[1]) if len(args) > 1 else None
    if not isinstance(name, str):
        return _one_of(s, frame, term, args, at) | _begun(s, frame, term, args, at)
    found = args[2] if len(args) > 2 else NOTHING
    for atom in args[0]:
        found = found | evaluate.attribute(s, frame, atom, name, term.span, at)
    return found


def _one_of(s: State, frame: Frame, term: Call, args: Args, at: int) -> Value:
    """What a module has under one of several names."""
    found: Value = NOTHING
    modules = [a for a in args[0] if isinstance(a, ModuleValue)] if len(args) > 1 else []
    for name in [str(a.value) for a in args[1] if isinstance(a, Literal)] if modules else ():
        for module in modules:
            found = found | evaluate.attribute(s, frame, module, name, term.span, at)
    return found


def _begun(s: State, frame: Frame, term: Call, args: Args, at: int) -> Value:
    """The methods that `getattr(self, f"on_{kind}")` may mean: those whose names begin so."""
    match term.args[1] if len(args) > 1 else None:
        case Blend(parts=(Const(value=str(start)), *_)) if start.strip("_"):
            pass
        case _:
            return NOTHING
    found: Value = NOTHING
    for atom in args[0]:
        order = calls.mro(s, atom.cls)[0] if isinstance(atom, Instance) and atom.cls is not None else ()
        for name in dict.fromkeys(m for cls in order for m in cls.info.methods if m.startswith(start)):
            found = found | evaluate.attribute(s, frame, atom, name, term.span, at)
    return found


def _import_module(s: State, frame: Frame, term: Call, args: Args, keywords: Keywords, at: int) -> Value:
    """A module of the program by its name."""
    found: set[Atom] = set()
    for name in [a.value for a in args[0] if isinstance(a, Literal)] if args else ():
        module = s.program.find(frame.info.module, name, 0) if isinstance(name, str) else None
        if module is not None:
            calls.import_module(s, module)
            found.add(s.module_value(module))
    return frozenset(found)


def text_method(s: State, text: Literal, name: str, module: Module, span: int) -> Value:
    """A constant text in another form is a constant too."""
    return frozenset((s.literal(TEXT_METHODS[name](str(text.value)), module, span),))


def _setattr(s: State, frame: Frame, term: Call, args: Args, keywords: Keywords, at: int) -> Value:
    for name in _names(term.args[1], args[1]) if len(args) > 2 else ():
        place = Attr(term.args[0], name, term.span)
        for atom in args[0]:
            execute.keep(
                s,
                frame,
                Effect(Access.STORE, atom, name, place, NOTHING, None, args[2], term.args[2], "setattr", term.span, at),
            )
    return NOTHING


def _names(term: Term, value: Value) -> Iterator[str]:
    """The names that a name is, each of them a constant; nothing when any is not: `for name in ("user", "token")`."""
    if isinstance(term, Const) and isinstance(term.value, str):
        yield term.value
    elif value and all(isinstance(atom, Literal) for atom in value):
        yield from (atom.value for atom in value if isinstance(atom, Literal) and isinstance(atom.value, str))


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
        return calls.mro(s, receiver.cls)[0]
    if isinstance(receiver, ClassValue):
        metas = tuple(c for m in calls.metaclasses(s, receiver) for c in calls.mro(s, m)[0])
        return (*calls.mro(s, receiver)[0], *metas)
    return ()


def super_attribute(s: State, frame: Frame, atom: Super, name: str, span: int, at: int) -> Value:
    """An attribute looked up behind the defining class."""
    order = _classes_of(s, atom.receiver)
    start = order.index(atom.defining) + 1 if atom.defining in order else len(order)
    for cls in order[start:]:
        found = [v for v in s.read(cls, name, frame) if isinstance(v, FunctionValue)]
        if found:
            return frozenset(s.method(v, atom.receiver) for v in found)
    externals = calls.mro(s, atom.defining)[1]
    fqn = f"{externals[0]}.{name}" if externals else f"builtins.object.{name}"
    return frozenset((s.member(atom.receiver, name, fqn),))


def _next(s: State, frame: Frame, term: Call, args: Args, keywords: Keywords, at: int) -> Value:
    """`next(x)` is `x.__next__()`, where the class or a model says what that is."""
    found: Value = NOTHING
    for atom in args[0] if args else NOTHING:
        for method in evaluate.attribute(s, frame, atom, "__next__", term.span, at):
            if isinstance(method, Method) or (isinstance(method, Member) and s.models.call(method.fqn) is not None):
                inner = Call(term.func, (), (), term.span, term.order)
                found = found | calls.call_atom(s, frame, method, inner, (), (), at)
    return found or library_calls.library_call(s, frame, "builtins.next", None, term, args, keywords, at)


def _type(s: State, frame: Frame, term: Call, args: Args, keywords: Keywords, at: int) -> Value:
    if len(args) != 1:
        return NOTHING
    return frozenset(a.cls for a in args[0] if isinstance(a, Instance) and a.cls is not None)


def _container(fqn: str) -> Callable[[State, Frame, Call, Args, Keywords, int], Value]:
    """`list(x)`, `dict(a=1)`: a new container with the items of the old."""

    def make(s: State, frame: Frame, term: Call, args: Args, keywords: Keywords, at: int) -> Value:
        instance = s.instance(None, fqn, frame, term.span)
        for value in args:
            s.build(instance, ITEMS, library_calls.elements(s, frame, value) | evaluate.mixed(s, [value]))
        for key, value in keywords:
            s.build(instance, item_field(key) if key else ITEMS, value)
        return frozenset((instance,))

    return make


def _copying(depth: int) -> Callable[[State, Frame, Call, Args, Keywords, int], Value]:
    def make(s: State, frame: Frame, term: Call, args: Args, keywords: Keywords, at: int) -> Value:
        return copied(s, frame, args[0], term.span, depth) if args else NOTHING

    return make


CONTAINERS = ("builtins.list", "builtins.dict", "builtins.set", "builtins.tuple", "builtins.frozenset")
BUILTINS: dict[str, Callable[[State, Frame, Call, Args, Keywords, int], Value]] = {
    "builtins.getattr": _getattr,
    "builtins.setattr": _setattr,
    "builtins.object.__setattr__": _setattr,
    "builtins.delattr": _delattr,
    "builtins.next": _next,
    "importlib.import_module": _import_module,
    "builtins.super": _super,
    "builtins.type": _type,
    **{name: _container(name) for name in CONTAINERS},
    "builtins.sorted": _container("builtins.list"),
    "copy.copy": _copying(1),
    "copy.deepcopy": _copying(DEEP),
    "builtins.reversed": _container("builtins.list"),
}
