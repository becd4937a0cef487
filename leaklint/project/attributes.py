"""Attributes of atoms: what `x.name` may stand for, by what `x` is.

Reads the state; looks nothing up that the models or the classes of the program do not say.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from leaklint.index.summary import (
    Attr,
    Bind,
    Call,
    Const,
    How,
    Name,
)
from leaklint.project import annotated, builtin_calls, calls, evaluate
from leaklint.project.program import ancestors
from leaklint.project.state import MADE, Frame, State, loaded
from leaklint.project.suspect import Strength
from leaklint.project.values import (
    NOTHING,
    Anything,
    Atom,
    ClassValue,
    External,
    FunctionValue,
    Instance,
    Literal,
    Member,
    ModuleValue,
    Phase,
    Super,
    Taint,
    Token,
    Value,
    may_have,
)

_LONG = 3  # dots in a name of a library, after which no part of it comes a second time


def attr(s: State, frame: Frame, term: Attr, at: int) -> Value:
    """The value of an attribute term."""
    found: Value = NOTHING
    for atom in evaluate.evaluate(s, frame, term.base, at):
        handler = ATTRIBUTES.get(atom.__class__)
        if handler is not None:
            value = handler(s, frame, atom, term.name, term.span, at)
            found = found | value if found else value
    return found


def attribute(s: State, frame: Frame, atom: Atom, name: str, span: int, at: int) -> Value:
    """The attribute `name` of one atom."""
    handler = ATTRIBUTES.get(atom.__class__)
    return NOTHING if handler is None else handler(s, frame, atom, name, span, at)


def _module_attribute(s: State, frame: Frame, atom: ModuleValue, name: str, span: int, at: int) -> Value:
    loaded(frame, atom, name, span, at)
    value = s.read(atom, name, frame)
    if value:
        return value
    module = atom.module
    if sub := s.program.at((*module.parts, name)):
        calls.import_module(s, sub)
        return frozenset((s.module_value(sub),))
    for op in module.functions[0].binds().get("*", ()):
        if found := evaluate.star_import(s, frame, module, op, name):
            return found
    return NOTHING


def _external_attribute(s: State, frame: Frame, atom: External, name: str, span: int, at: int) -> Value:
    fqn = s.models.canonical(f"{atom.fqn}.{name}")
    known = s.models.attribute(fqn)
    if known is not None and known.gives:
        return modelled(s, frame, fqn, known.gives, known.type, known.concept or s.models.concept(name), span)
    if fqn.count(".") > _LONG and name in atom.fqn.split(".")[2:]:
        return frozenset((atom,))  # `error.__cause__.__cause__`, and so on for ever
    owner = s.models.attribute(atom.fqn)
    if owner is not None and owner.gives == "request" and s.models.call(fqn) is None:
        return frozenset((request_data(s, name),))
    written = s.read(atom, name, frame) if atom in s.heap else NOTHING
    module = s.program.find(frame.info.module, fqn, 0) if "." in fqn else None
    if module is not None:
        calls.import_module(s, module)
        return frozenset((s.module_value(module),))
    loaded(frame, atom, name, span, at)
    return written | {s.external(fqn)}


def modelled(s: State, frame: Frame, fqn: str, gives: str, type_: str, concept: str, span: int) -> Value:
    """What a model says an attribute is."""
    match gives:
        case "request":
            if type_:
                return frozenset((s.the_instance(None, type_, frame.info.module, span, Phase.REQUEST),))
            return frozenset((s.taint(Strength.IDENTITY if concept else Strength.CONTENT, concept),))
        case "isolated":
            return frozenset((s.the_instance(None, type_ or fqn, frame.info.module, span, Phase.REQUEST),))
        case "instance":
            the_one = s.the_instance(None, type_ or fqn, frame.info.module, span, Phase.SETUP)
            return s.read(the_one, MADE, frame) or frozenset((the_one,))
        case "address":
            return frozenset(
                (s.taint(Strength.CONTENT, "address"), s.token(False, "the client's address", frame, span))
            )
        case _:
            return NOTHING


def request_data(s: State, name: str, base: Taint | None = None) -> Taint:
    """Request data reached by a name: an id by its name, else as personal as what it is part of."""
    concept = s.models.concept(name)
    if concept:
        return s.taint(Strength.IDENTITY, concept, base is not None and base.kept)
    if base is not None:
        return s.taint(base.strength, base.concept, base.kept)
    return s.taint(Strength.CONTENT)


def _class_attribute(s: State, frame: Frame, atom: ClassValue, name: str, span: int, at: int) -> Value:
    order, externals = calls.mro(s, atom)
    for cls in order:
        loaded(frame, cls, name, span, at)
        value = s.read(cls, name, frame)
        if value:
            return frozenset(_bound_to_class(s, v, atom) for v in value)
    if name == "__name__":
        return frozenset((s.literal(atom.info.summary.name, atom.info.module, atom.info.summary.head),))
    if name == "__class__":
        return NOTHING
    for meta in [m for cls in order for made in calls.metaclasses(s, cls) for m in calls.mro(s, made)[0]]:
        loaded(frame, meta, name, span, at)
        if value := s.read(meta, name, frame):
            return frozenset(s.method(v, atom) if isinstance(v, FunctionValue) else v for v in value)
    return frozenset(s.external(f"{base}.{name}") for base in externals)


def _bound_to_class(s: State, value: Atom, cls: ClassValue) -> Atom:
    if isinstance(value, FunctionValue) and "classmethod" in s.traits.get(value, ()):
        return s.method(value, cls)
    return value


def _instance_attribute(s: State, frame: Frame, atom: Instance, name: str, span: int, at: int) -> Value:
    loaded(frame, atom, name, span, at)
    found = s.read(atom, name, frame)
    if atom.cls is None:
        return found | _library_attribute(s, frame, atom, atom.fqn, name, span)
    if name == "__class__":
        return frozenset((atom.cls,))
    return found | class_lookup(s, frame, atom, name, span, at, found)


def class_lookup(s: State, frame: Frame, atom: Instance, name: str, span: int, at: int, found: Value) -> Value:
    """What the classes of an instance say about an attribute."""
    assert atom.cls is not None
    find = calls.named(s, frame, atom.cls, name)
    if (cls := find.owner) is not None:
        value = find.value
        if calls.is_field(s, cls, name):
            return _own_copy(s, frame, cls, atom, name, value)
        if found and _is_shadowed(s, frame, atom, name, at):
            return NOTHING
        loaded(frame, cls, name, span, at)
        bound: set[Atom] = set()
        for v in value:
            bound.update(_bound_to_instance(s, frame, v, atom, span, at))
        return frozenset(bound)
    if found:
        return NOTHING
    order, externals = calls.mro(s, atom.cls)
    if assumed := _annotated(s, frame, order, name):
        return assumed
    parts: Value = NOTHING
    for base in externals:
        if base not in ("builtins.object", "abc.ABC", "typing.Generic", "typing.Protocol"):
            parts = parts | _library_attribute(s, frame, atom, base, name, span)
    return parts or made_up(s, frame, atom, name, span)


def made_up(s: State, frame: Frame, atom: Instance, name: str, span: int) -> Value:
    """What `__getattr__` gives for a name that nothing else knows, at least a part of the object."""
    assert atom.cls is not None
    if name[:2] == "__":
        return NOTHING
    found: Value = NOTHING
    functions = calls.class_functions(s, frame, atom.cls, "__getattr__")
    if functions and any(cls.info.assigns(name) for cls in calls.mro(s, atom.cls)[0]):
        return NOTHING  # it is there, and nothing is known of it
    for function in functions:
        asked = s.literal(name, function.info.module, function.info.function.head)
        call = Call(Name("", span), (Const(name, span),), (), span, -1)
        found = found | calls.enter(s, frame, function, atom, call, (frozenset((asked,)),), (), apart=(name,))
        found = found | {s.member(atom, name, f"{atom.cls.info.qualname}.{name}")}
    return found


def _is_shadowed(s: State, frame: Frame, atom: Instance, name: str, at: int) -> bool:
    """Whether the instance surely has an attribute of its own: from its making, or set earlier in this method."""
    if name in s.born.get(atom, ()):
        return True
    function = frame.info.function
    if frame.receiver is not atom or not function.params or at >= len(function.ops):
        return False
    around = set(ancestors(function.blocks, function.ops[at].block))
    own = function.params[0].name
    return any(
        isinstance(op, Bind)
        and op.how is How.ASSIGN
        and op.block in around
        and isinstance(op.target, Attr)
        and op.target.name == name
        and isinstance(op.target.base, Name)
        and op.target.base.id == own
        for op in function.ops[:at]
    )


def _own_copy(s: State, frame: Frame, cls: ClassValue, owner: Instance, name: str, value: Value) -> Value:
    """Data classes give each instance its own copy of a default, or lets a factory make one."""
    own: set[Atom] = set()
    for atom in value:
        if isinstance(atom, Instance) and (atom.cls is None or _has_factory(s, cls, name)):
            mine = s.copy_of(atom, owner, name)
            if mine.cls is not None and mine not in s.heap:
                calls.initialise(s, frame, mine)
            atom = mine
        own.add(atom)
    s.write(owner, name, frozenset(own))
    return frozenset(own)


def _has_factory(s: State, cls: ClassValue, name: str) -> bool:
    """Whether the default in the class body is what a factory makes: `field(default_factory=Settings)`."""
    ops = cls.info.module.functions[cls.info.summary.body].function.ops
    terms = [op.value for op in ops if isinstance(op, Bind) and isinstance(op.target, Name) and op.target.id == name]
    return any(isinstance(term, Call) and any(k and k.endswith("factory") for k, _ in term.keywords) for term in terms)


def _annotated(s: State, frame: Frame, order: tuple[ClassValue, ...], name: str) -> Value:
    """An object of the class that a class body declares for an attribute nobody was seen to set."""

    for cls in order:
        annotation = cls.info.fields.get(name)
        if annotation is not None:
            return annotated.typed(s, cls.frame, annotation, Phase.REQUEST)
    return NOTHING


def _bound_to_instance(s: State, frame: Frame, value: Atom, receiver: Instance, span: int, at: int) -> Value:
    if not isinstance(value, FunctionValue):
        return frozenset((value,))
    traits = s.traits.get(value, ())
    if "staticmethod" in traits:
        return frozenset((value,))
    if "classmethod" in traits and receiver.cls is not None:
        return frozenset((s.method(value, receiver.cls),))
    method = s.method(value, receiver)
    if "property" in traits:
        call = Call(Name("", span), (), (), span, 0)
        return calls.call_atom(s, frame, method, call, (), (), at)
    if value.info.function.owner < 0 and value.info.parent is value.info.module.functions[0]:
        return frozenset((value,))  # a function stored in the class body from elsewhere keeps its own first parameter
    return frozenset((method,))


def _library_attribute(s: State, frame: Frame, atom: Atom, fqn: str, name: str, span: int) -> Value:
    if not may_have(atom, name):
        return NOTHING
    full = s.models.canonical(f"{fqn}.{name}")
    known = s.models.attribute(full)
    if known is not None and known.gives:
        return modelled(s, frame, full, known.gives, known.type, known.concept or s.models.concept(name), span)
    if s.models.call(full) is None:
        kind = s.models.type(fqn)
        if kind is not None and kind.holds == "request":
            return frozenset((request_data(s, name), s.member(atom, name, full)))
        if kind is not None and kind.parts:
            return frozenset((s.member(atom, name, kind.parts),))
    return frozenset((s.member(atom, name, full),))


def _member_attribute(s: State, frame: Frame, atom: Member, name: str, span: int, at: int) -> Value:
    loaded(frame, atom, name, span, at)
    depth, owner = 0, atom.owner
    while isinstance(owner, Member):
        depth, owner = depth + 1, owner.owner
    if depth > 4:
        return frozenset((atom,))
    full = f"{atom.fqn}.{name}"
    kind = s.models.type(atom.fqn)
    if kind is not None and kind.parts and s.models.call(full) is None:
        full = kind.parts
    return s.read(atom, name, frame) | {s.member(atom, name, full)}


def _anything_attribute(s: State, frame: Frame, atom: Anything, name: str, span: int, at: int) -> Value:
    return frozenset((atom,))


def _same_attribute(s: State, frame: Frame, atom: Token, name: str, span: int, at: int) -> Value:
    """`uuid4().hex` and `datetime.now().date` are made of what they belong to; what has an id of its own is no id."""
    return NOTHING if name == "id" or s.models.concept(name) else frozenset((atom,))


def _taint_attribute(s: State, frame: Frame, atom: Taint, name: str, span: int, at: int) -> Value:
    return frozenset((request_data(s, name, atom),))


def _function_attribute(s: State, frame: Frame, atom: FunctionValue, name: str, span: int, at: int) -> Value:
    loaded(frame, atom, name, span, at)
    made = s.made_of.get(atom.info)
    if made is not None:
        return s.read(atom, name, frame) | _library_attribute(s, frame, atom, made, name, span)
    return s.read(atom, name, frame)


def _literal_attribute(s: State, frame: Frame, atom: Literal, name: str, span: int, at: int) -> Value:
    if isinstance(atom.value, str) and name in builtin_calls.TEXT_METHODS:
        return frozenset((s.member(atom, name, f"builtins.str.{name}"),))
    return NOTHING


def _super_attribute(s: State, frame: Frame, atom: Super, name: str, span: int, at: int) -> Value:
    return builtin_calls.super_attribute(s, frame, atom, name, span, at)


ATTRIBUTES: dict[type[Atom], Callable[[State, Frame, Any, str, int, int], Value]] = {
    ModuleValue: _module_attribute,
    External: _external_attribute,
    ClassValue: _class_attribute,
    Instance: _instance_attribute,
    Member: _member_attribute,
    Taint: _taint_attribute,
    Token: _same_attribute,
    FunctionValue: _function_attribute,
    Super: _super_attribute,
    Anything: _anything_attribute,
    Literal: _literal_attribute,
}
