"""Terms to values: what an expression may stand for in a frame.

Reads the state and asks `calls` for the result of calls; never writes to the heap except for the objects it makes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from leaklint.index.summary import (
    ELEMENT,
    ENTERED,
    Attr,
    Await,
    Bind,
    Blend,
    Call,
    Choice,
    ClassRef,
    Const,
    Display,
    FunctionRef,
    How,
    Imported,
    Item,
    Kind,
    Name,
    Part,
    Star,
    Term,
    Test,
    Yield,
)
from leaklint.project import calls
from leaklint.project.copies import copied
from leaklint.project.program import FunctionInfo, Module, ancestors
from leaklint.project.state import ITEMS, MAKING, Frame, State, item_field
from leaklint.project.suspect import Strength
from leaklint.project.values import (
    NOTHING,
    Ambient,
    Anything,
    Atom,
    ClassValue,
    External,
    FunctionValue,
    Instance,
    Literal,
    Member,
    Method,
    ModuleValue,
    Partial,
    Phase,
    Taint,
    Token,
    Value,
)

_WIDE = 48  # entries of a literal that are told apart; larger tables are one heap field


def evaluate(s: State, frame: Frame, term: Term, at: int) -> Value:
    """The value of a term.

    Args:
        s: the state.
        frame: whose names the term uses.
        term: the term.
        at: position of the operation that the term belongs to.
    """
    return _TERMS[term.__class__](s, frame, term, at)


# --- names ----------------------------------------------------------------------------------------------------------


def name(s: State, frame: Frame, term: Name, at: int) -> Value:
    ident = term.id
    function = frame.info.function
    if ident in function.bound and ident not in function.globals and ident not in function.nonlocals:
        return local(s, frame, ident, at)
    return free(s, frame, ident, term.span, at)


def local(s: State, frame: Frame, ident: str, at: int) -> Value:
    positions, initial = frame.info.reaching(ident, at)
    value = frame.args.get(ident, NOTHING) if initial else NOTHING
    for position in positions:
        value = value | frame.values[position] if value else frame.values[position]
    if frame.info.function.kind is Kind.MODULE:
        written = s.read(s.module_value(frame.info.module), ident, frame)
        return written if not positions or not value else value | written
    return value


def free(s: State, frame: Frame, ident: str, span: int, at: int) -> Value:
    """A name of an enclosing function, of the module, or a builtin."""
    module = frame.info.module
    if ident not in frame.info.function.globals:
        scope = frame.env
        while scope is not None:
            function = scope.info.function
            if function.kind is Kind.MODULE:
                break
            if function.kind is not Kind.CLASS and ident in function.bound and ident not in function.nonlocals:
                _loaded(frame, scope, ident, span, at)
                return everything(s, scope, ident) | s.read(scope, ident, frame)
            scope = scope.env
    holder = s.module_value(module)
    if ident in module.functions[0].function.bound or ident in s.heap.get(holder, {}):
        _loaded(frame, holder, ident, span, at)
        return s.read(holder, ident, frame)
    for op in module.functions[0].binds().get("*", ()):
        found = _star_import(s, frame, module, op, ident)
        if found:
            return found
    return frozenset((s.external(f"builtins.{ident}"),))


def everything(s: State, frame: Frame, ident: str) -> Value:
    """Whatever a local name holds at any time, as closures see it."""
    value = frame.args.get(ident, NOTHING)
    for position in frame.info.binds().get(ident, ()):
        value = value | frame.values[position]
    return value


def _star_import(s: State, frame: Frame, module: Module, position: int, ident: str) -> Value:
    op = module.functions[0].function.ops[position]
    imported = op.value  # type: ignore[union-attr]
    if not isinstance(imported, Imported):
        return NOTHING
    target = s.program.find(module, imported.module, imported.level)
    if target is None or target is module:
        return NOTHING
    calls.import_module(s, target)
    return s.read(s.module_value(target), ident, frame)


def _loaded(frame: Frame, holder: Any, ident: str, span: int, at: int) -> None:
    frame.loads.setdefault((holder, ident), []).append((span, at))


def imported(s: State, frame: Frame, term: Imported, at: int) -> Value:
    module = frame.info.module
    target = s.program.find(module, term.module, term.level)
    if not term.name:
        if target is not None:
            calls.import_module(s, target)
            return frozenset((s.module_value(target),))
        return frozenset((s.external(term.module),))
    if target is not None:
        calls.import_module(s, target)
        value = s.read(s.module_value(target), term.name, frame)
        if value or term.name in target.functions[0].function.bound:
            return value
        for op in target.functions[0].binds().get("*", ()):
            if found := _star_import(s, frame, target, op, term.name):
                return found
    sub = s.program.find(module, f"{term.module}.{term.name}" if term.module else term.name, term.level)
    if sub is not None:
        calls.import_module(s, sub)
        return frozenset((s.module_value(sub),))
    if target is not None or term.level:
        return NOTHING
    fqn = s.models.canonical(f"{term.module}.{term.name}")
    known = s.models.attribute(fqn)
    if known is not None and known.gives in ("isolated", "instance"):
        return _modelled(s, frame, fqn, known.gives, known.type, known.concept, 0)
    return frozenset((s.external(fqn),))


# --- attributes -----------------------------------------------------------------------------------------------------


def attr(s: State, frame: Frame, term: Attr, at: int) -> Value:
    found: Value = NOTHING
    for atom in evaluate(s, frame, term.base, at):
        value = attribute(s, frame, atom, term.name, term.span, at)
        found = found | value if found else value
    return found


def attribute(s: State, frame: Frame, atom: Atom, name: str, span: int, at: int) -> Value:
    """The attribute `name` of one atom."""
    handler = _ATTRIBUTES.get(atom.__class__)
    return NOTHING if handler is None else handler(s, frame, atom, name, span, at)


def _module_attribute(s: State, frame: Frame, atom: ModuleValue, name: str, span: int, at: int) -> Value:
    _loaded(frame, atom, name, span, at)
    value = s.read(atom, name, frame)
    if value:
        return value
    module = atom.module
    if sub := s.program.at((*module.parts, name)):
        calls.import_module(s, sub)
        return frozenset((s.module_value(sub),))
    for op in module.functions[0].binds().get("*", ()):
        if found := _star_import(s, frame, module, op, name):
            return found
    return NOTHING


def _external_attribute(s: State, frame: Frame, atom: External, name: str, span: int, at: int) -> Value:
    fqn = s.models.canonical(f"{atom.fqn}.{name}")
    known = s.models.attribute(fqn)
    if known is not None and known.gives:
        return _modelled(s, frame, fqn, known.gives, known.type, known.concept or s.models.concept(name), span)
    owner = s.models.attribute(atom.fqn)
    if owner is not None and owner.gives == "request" and s.models.call(fqn) is None:
        return frozenset((request_data(s, name),))
    written = s.read(atom, name, frame) if atom in s.heap else NOTHING
    module = s.program.find(frame.info.module, fqn, 0) if "." in fqn else None
    if module is not None:
        calls.import_module(s, module)
        return frozenset((s.module_value(module),))
    _loaded(frame, atom, name, span, at)
    return written | {s.external(fqn)}


def _modelled(s: State, frame: Frame, fqn: str, gives: str, type_: str, concept: str, span: int) -> Value:
    """What a model says an attribute is."""
    match gives:
        case "request":
            if type_:
                return frozenset((s.the_instance(None, type_, frame.info.module, span, Phase.REQUEST),))
            return frozenset((s.taint(Strength.IDENTITY if concept else Strength.CONTENT, concept),))
        case "isolated":
            return frozenset((s.the_instance(None, type_ or fqn, frame.info.module, span, Phase.REQUEST),))
        case "instance":
            return frozenset((s.the_instance(None, type_ or fqn, frame.info.module, span, Phase.SETUP),))
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
        return s.taint(Strength.IDENTITY, concept)
    if base is not None:
        return s.taint(base.strength, base.concept)
    return s.taint(Strength.CONTENT)


def _class_attribute(s: State, frame: Frame, atom: ClassValue, name: str, span: int, at: int) -> Value:
    order, externals = calls.mro(s, atom)
    for cls in order:
        _loaded(frame, cls, name, span, at)
        value = s.read(cls, name, frame)
        if value:
            return frozenset(_bound_to_class(s, v, atom) for v in value)
    if name == "__name__" or name == "__class__":
        return NOTHING
    return frozenset(s.external(f"{base}.{name}") for base in externals)


def _bound_to_class(s: State, value: Atom, cls: ClassValue) -> Atom:
    if isinstance(value, FunctionValue) and "classmethod" in s.traits.get(value.info, ()):
        return s.method(value, cls)
    return value


def _instance_attribute(s: State, frame: Frame, atom: Instance, name: str, span: int, at: int) -> Value:
    _loaded(frame, atom, name, span, at)
    found = s.read(atom, name, frame)
    if atom.cls is None:
        return found | _library_attribute(s, frame, atom, atom.fqn, name, span)
    if name == "__class__":
        return frozenset((atom.cls,))
    return found | class_lookup(s, frame, atom, name, span, at, found)


def class_lookup(s: State, frame: Frame, atom: Instance, name: str, span: int, at: int, found: Value) -> Value:
    """What the classes of an instance say about an attribute."""
    assert atom.cls is not None
    order, externals = calls.mro(s, atom.cls)
    for cls in order:
        value = s.read(cls, name, frame)
        if value and calls.is_field(s, cls, name):
            return _own_copy(s, atom, name, value)
        if value and found and _is_shadowed(s, frame, atom, name, at):
            return NOTHING
        if value:
            _loaded(frame, cls, name, span, at)
            bound: set[Atom] = set()
            for v in value:
                bound.update(_bound_to_instance(s, frame, v, atom, span, at))
            return frozenset(bound)
    if found:
        return NOTHING
    if assumed := _annotated(s, frame, order, name):
        return assumed
    parts: Value = NOTHING
    for base in externals:
        if base not in ("builtins.object", "abc.ABC", "typing.Generic", "typing.Protocol"):
            parts = parts | _library_attribute(s, frame, atom, base, name, span)
    return parts


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


def _own_copy(s: State, owner: Instance, name: str, value: Value) -> Value:
    """Data classes give each instance its own copy of a default."""
    own: set[Atom] = set()
    for atom in value:
        own.add(s.copy_of(atom, owner, name) if isinstance(atom, Instance) and atom.cls is None else atom)
    s.write(owner, name, frozenset(own))
    return frozenset(own)


def _annotated(s: State, frame: Frame, order: tuple[ClassValue, ...], name: str) -> Value:
    """An object of the class that a class body declares for an attribute nobody was seen to set."""
    from leaklint.project import entries

    for cls in order:
        annotation = cls.info.fields.get(name)
        if annotation is not None:
            return entries.typed(s, cls.frame, annotation, Phase.REQUEST)
    return NOTHING


def _bound_to_instance(s: State, frame: Frame, value: Atom, receiver: Instance, span: int, at: int) -> Value:
    if not isinstance(value, FunctionValue):
        return frozenset((value,))
    traits = s.traits.get(value.info, ())
    if "staticmethod" in traits:
        return frozenset((value,))
    if "classmethod" in traits and receiver.cls is not None:
        return frozenset((s.method(value, receiver.cls),))
    method = s.method(value, receiver)
    if "property" in traits:
        call = Call(Name("", span), (), (), span, 0)
        return calls.call_atom(s, frame, method, call, (), (), at)
    if value.info.function.owner < 0:
        return frozenset((value,))  # a function stored in the class body from elsewhere keeps its own first parameter
    return frozenset((method,))


def _library_attribute(s: State, frame: Frame, atom: Atom, fqn: str, name: str, span: int) -> Value:
    full = s.models.canonical(f"{fqn}.{name}")
    known = s.models.attribute(full)
    if known is not None and known.gives:
        return _modelled(s, frame, full, known.gives, known.type, known.concept or s.models.concept(name), span)
    if s.models.call(full) is None:
        kind = s.models.type(fqn)
        if kind is not None and kind.holds == "request":
            return frozenset((request_data(s, name), s.member(atom, name, full)))
    return frozenset((s.member(atom, name, full),))


def _member_attribute(s: State, frame: Frame, atom: Member, name: str, span: int, at: int) -> Value:
    _loaded(frame, atom, name, span, at)
    depth, owner = 0, atom.owner
    while isinstance(owner, Member):
        depth, owner = depth + 1, owner.owner
    if depth > 4:
        return frozenset((atom,))
    return s.read(atom, name, frame) | {s.member(atom, name, f"{atom.fqn}.{name}")}


def _anything_attribute(s: State, frame: Frame, atom: Anything, name: str, span: int, at: int) -> Value:
    return frozenset((atom,))


def _same_attribute(s: State, frame: Frame, atom: Token, name: str, span: int, at: int) -> Value:
    """`uuid4().hex` and `datetime.now().date` are made of what they belong to; what has an id of its own is no id."""
    return NOTHING if name == "id" or s.models.concept(name) else frozenset((atom,))


def _taint_attribute(s: State, frame: Frame, atom: Taint, name: str, span: int, at: int) -> Value:
    return frozenset((request_data(s, name, atom),))


def _function_attribute(s: State, frame: Frame, atom: FunctionValue, name: str, span: int, at: int) -> Value:
    _loaded(frame, atom, name, span, at)
    made = s.made_of.get(atom.info)
    if made is not None:
        return s.read(atom, name, frame) | _library_attribute(s, frame, atom, made, name, span)
    return s.read(atom, name, frame)


# --- items ----------------------------------------------------------------------------------------------------------


def item(s: State, frame: Frame, term: Item, at: int) -> Value:
    base = evaluate(s, frame, term.base, at)
    key = evaluate(s, frame, term.key, at)
    if term.key.__class__ is Blend and term.key.op == "slice":
        return _sliced(s, frame, base, term)
    found: set[Atom] = set()
    for atom in base:
        found.update(element(s, frame, atom, term.key, key, term.span, at))
    return frozenset(found)


def _sliced(s: State, frame: Frame, base: Value, term: Item) -> Value:
    """A cut id is no longer unique; a part of a list is another list with the same items."""
    found: set[Atom] = set()
    for atom in base:
        if isinstance(atom, Token) and atom.fresh:
            short = [p.value for p in term.key.parts if isinstance(p, Const) and isinstance(p.value, int)]  # type: ignore[union-attr]
            if short and max(map(abs, short)) < 12:
                atom = s.token(False, "an id cut short", frame, term.span)
        found.add(atom)
    return copied(s, frame, frozenset(found), term.span, 1)


def element(s: State, frame: Frame, atom: Atom, key_term: Term, key: Value, span: int, at: int) -> Value:
    """What stands under a key of one atom."""
    if isinstance(atom, Taint):
        return frozenset((request_data(s, _text_of(key_term), atom),))
    if isinstance(atom, External) and (known := s.models.attribute(atom.fqn)) is not None and known.gives == "request":
        return frozenset((request_data(s, _text_of(key_term)),))
    if isinstance(atom, (ClassValue, External)) and not _is_mapping(s, atom):
        return frozenset((atom,))  # `List[int]` is a list
    if isinstance(atom, Instance) and atom.cls is not None:
        method = class_lookup(s, frame, atom, "__getitem__", span, at, NOTHING)
        callee = [m for m in method if isinstance(m, Method)]
        if callee:
            call = Call(Name("", span), (key_term,), (), span, 0)
            return calls.call_atom(s, frame, callee[0], call, (key,), (), at)
    if isinstance(atom, Instance) and atom.cls is None and (kind := s.models.type(atom.fqn)) is not None:
        if kind.holds == "request":
            return select_items(s, frame, atom, key_term, key, span, at) | {request_data(s, _text_of(key_term))}
    if isinstance(atom, (Instance, Member, External)):
        value = select_items(s, frame, atom, key_term, key, span, at)
        taints = [k for k in key if isinstance(k, Taint)]
        return value | frozenset(taints) if taints and (value or isinstance(atom, Member)) else value
    if isinstance(atom, Anything):
        return frozenset((atom,))
    return NOTHING


def _text_of(key: Term) -> str:
    return key.value if isinstance(key, Const) and isinstance(key.value, str) else ""


def _is_mapping(s: State, atom: Atom) -> bool:
    return atom in s.heap


def select_items(s: State, frame: Frame, atom: Any, key_term: Term | None, key: Value, span: int, at: int) -> Value:
    """Items under the key: those under the same constant and under unknown keys, or all."""
    constant = constant_key(key_term, key)
    if constant is None:
        _loaded(frame, atom, ITEMS, span, at)
        return s.items(atom, frame)
    field = item_field(constant)
    _loaded(frame, atom, field, span, at)
    fields = s.fields(atom, frame)
    return fields.get(field, NOTHING) | fields.get(ITEMS, NOTHING)


def constant_key(term: Term | None, value: Value) -> object | None:
    """The one constant that a key is, or `None`."""
    if isinstance(term, Const) and isinstance(term.value, (str, int)):
        return term.value
    if len(value) == 1:
        (atom,) = value
        if isinstance(atom, Literal):
            return atom.value
    return None


# --- calls and computed values --------------------------------------------------------------------------------------


def call(s: State, frame: Frame, term: Call, at: int) -> Value:
    func = evaluate(s, frame, term.func, at)
    args = tuple([evaluate(s, frame, a.value if a.__class__ is Star else a, at) for a in term.args])
    keywords = tuple([(k, evaluate(s, frame, v, at)) for k, v in term.keywords])
    return calls.call(s, frame, term, func, args, keywords, at)


def choice(s: State, frame: Frame, term: Choice, at: int) -> Value:
    if term.test is not None:
        evaluate(s, frame, term.test, at)
    value: Value = NOTHING
    for part in term.parts:
        value = value | evaluate(s, frame, part, at)
    return value


def blend(s: State, frame: Frame, term: Blend, at: int) -> Value:
    """A computed value keeps what is personal and what makes it unique; constants in it say nothing."""
    parts = [evaluate(s, frame, p, at) for p in term.parts]
    if term.op == "Add" and all(any(isinstance(a, Instance) for a in p) for p in parts):
        return copied(s, frame, NOTHING.union(*parts), term.span, 1)  # two lists
    if term.op == "fstring" and (text := _text(parts)):
        return frozenset((s.literal(text, frame.info.module, term.span),))
    return mixed(s, parts)


def _text(parts: list[Value]) -> str:
    """What constant texts make together; empty when one of them is not known or not one."""
    texts = [next(iter(p)).value for p in parts if len(p) == 1 and isinstance(next(iter(p)), Literal)]  # type: ignore[attr-defined]
    if len(texts) != len(parts) or not all(isinstance(t, str) for t in texts):
        return ""
    return "".join(texts)


def mixed(s: State, parts: list[Value]) -> Value:
    """What is left of values that were computed with: request data, tokens, ambient ids."""
    kept: set[Atom] = set()
    for position, part in enumerate(parts):
        others = [a for i, other in enumerate(parts) if i != position for a in other] if len(parts) > 1 else ()
        for atom in part:
            if isinstance(atom, (Taint, Ambient)) or (isinstance(atom, Token) and not _is_made_unique(atom, others)):
                kept.add(atom)
    return frozenset(kept)


def _is_made_unique(token: Token, others: Iterable[Atom]) -> bool:
    """Whether what an id is combined with tells sessions apart, so that the token itself need not."""
    for other in others:
        if isinstance(other, Taint) and other.strength is Strength.IDENTITY:
            return not token.fresh or token.phase is Phase.SETUP
        if not isinstance(other, Token) or other is token:
            continue
        if (token.phase is Phase.SETUP and other.phase is Phase.REQUEST) or (other.fresh and not token.fresh):
            return True
    return False


def test(s: State, frame: Frame, term: Test, at: int) -> Value:
    for part in term.parts:
        evaluate(s, frame, part, at)
    return NOTHING


def display(s: State, frame: Frame, term: Display, at: int) -> Value:
    instance = s.instance(None, f"builtins.{term.kind}", frame, term.span)
    value = frozenset((instance,))
    wide = len(term.values) > _WIDE
    if term.kind == "dict":
        for key_term, item_term in zip(term.keys, term.values, strict=True):
            item_value = evaluate(s, frame, item_term, at)
            if key_term is None:
                merge_items(s, frame, instance, item_value)
                continue
            key = evaluate(s, frame, key_term, at)
            constant = None if wide else constant_key(key_term, key)
            s.build(instance, ITEMS if constant is None else item_field(constant), item_value)
        return value
    for position, item_term in enumerate(term.values):
        if item_term.__class__ is Star:
            merge_items(s, frame, instance, evaluate(s, frame, item_term.value, at))
            continue
        item_value = evaluate(s, frame, item_term, at)
        fixed = term.kind == "tuple" and not wide
        s.build(instance, item_field(position) if fixed else ITEMS, item_value)
    return value


def merge_items(s: State, frame: Frame, into: Instance, value: Value) -> None:
    """Copy the items of containers into another."""
    for atom in value:
        if isinstance(atom, (Instance, Member)):
            for name, items in list(s.fields(atom, frame).items()):
                if name[0] == "[":
                    s.build(into, name, items)
        elif isinstance(atom, Taint):
            s.build(into, ITEMS, frozenset((atom,)))


def part(s: State, frame: Frame, term: Part, at: int) -> Value:
    value = evaluate(s, frame, term.value, at)
    found: set[Atom] = set()
    for atom in value:
        found.update(part_of(s, frame, atom, term.index, at))
    return frozenset(found)


def part_of(s: State, frame: Frame, atom: Atom, index: int, at: int) -> Value:
    """An element of one atom, by position, any, or what `with` enters."""
    if isinstance(atom, Instance):
        if index == ENTERED:
            return _entered(s, frame, atom, at)
        if atom.cls is not None:
            return _iterated(s, frame, atom, at)
        if atom.fqn in ("builtins.dict", "collections.defaultdict", "collections.OrderedDict"):
            return _keys(s, frame, atom)
        if index >= 0:
            fields = s.fields(atom, frame)
            return fields.get(item_field(index), NOTHING) | fields.get(ITEMS, NOTHING)
        return s.items(atom, frame)
    if isinstance(atom, (Taint, Token, Ambient, Anything)):
        return frozenset((atom,))
    if isinstance(atom, (Member, ClassValue, External)) and index == ENTERED:
        return frozenset((atom,))
    if isinstance(atom, Member):
        return s.items(atom, frame)
    return NOTHING


def _keys(s: State, frame: Frame, atom: Instance) -> Value:
    return NOTHING


def _entered(s: State, frame: Frame, atom: Instance, at: int) -> Value:
    if atom.fqn == "builtins.generator":
        return s.items(atom, frame)
    if atom.cls is None:
        return frozenset((atom,))
    found: set[Atom] = set()
    for name in ("__enter__", "__aenter__"):
        for method in class_lookup(s, frame, atom, name, 0, at, NOTHING):
            if isinstance(method, Method):
                call = Call(Name("", 0), (), (), 0, 0)
                found.update(calls.call_atom(s, frame, method, call, (), (), at))
    return frozenset(found) or frozenset((atom,))


def _iterated(s: State, frame: Frame, atom: Instance, at: int) -> Value:
    found: set[Atom] = set()
    for name in ("__iter__", "__aiter__"):
        for method in class_lookup(s, frame, atom, name, 0, at, NOTHING):
            if isinstance(method, Method):
                call = Call(Name("", 0), (), (), 0, 0)
                for made in calls.call_atom(s, frame, method, call, (), (), at):
                    if isinstance(made, Instance) and made is not atom and made.cls is None:
                        found.update(s.items(made, frame))
    return frozenset(found)


def constant(s: State, frame: Frame, term: Const, at: int) -> Value:
    value = term.value
    if value.__class__ is str or value.__class__ is int:
        return frozenset((s.literal(value, frame.info.module, term.span),))
    return NOTHING


def function_ref(s: State, frame: Frame, term: FunctionRef, at: int) -> Value:
    info: FunctionInfo = frame.info.module.functions[term.index]
    return frozenset((s.function_value(info, frame),))


def class_ref(s: State, frame: Frame, term: ClassRef, at: int) -> Value:
    return frozenset((s.class_value(frame.info.module, term.index, frame),))


def awaited(s: State, frame: Frame, term: Await, at: int) -> Value:
    return evaluate(s, frame, term.value, at)


def yielded(s: State, frame: Frame, term: Yield, at: int) -> Value:
    value = evaluate(s, frame, term.value, at)
    calls.returned(s, frame, value)
    return NOTHING


def starred(s: State, frame: Frame, term: Star, at: int) -> Value:
    return evaluate(s, frame, term.value, at)


def carried(s: State, frame: Frame | None, value: Value, depth: int = 3) -> frozenset[Taint]:
    """The request data in a value, also inside the objects it is made of.

    Of an object, what it was made with counts; what others wrote to it later is their doing.
    """
    found: set[Taint] = set()
    _carried(s, frame, value, depth, found, set())
    return frozenset(found)


def _carried(s: State, frame: Frame | None, value: Value, depth: int, found: set[Taint], seen: set[Atom]) -> None:
    for atom in value:
        if atom.__class__ is Taint:
            found.add(atom)
        elif atom.__class__ is Instance and atom not in seen:
            instance: Instance = atom
            seen.add(atom)
            if instance.phase is not Phase.REQUEST:
                continue
            kind = s.models.type(instance.fqn) if instance.fqn else None
            if kind is not None and kind.holds == "request":
                found.add(s.taint(Strength.IDENTITY, "request"))
            if depth > 0 and not instance.joined:
                if frame is not None:
                    s.readers[atom, MAKING][frame] = None
                for held in list(s.born.get(instance, {}).values()):
                    _carried(s, frame, held, depth - 1, found, seen)
        elif atom.__class__ is Method and atom not in seen:
            seen.add(atom)
            _carried(s, frame, frozenset((atom.receiver,)), depth, found, seen)
        elif atom.__class__ is Member and atom not in seen:
            seen.add(atom)
            _carried(s, frame, frozenset((atom.owner,)), depth, found, seen)
        elif atom.__class__ is FunctionValue and atom not in seen:
            seen.add(atom)
            _carried_closure(s, frame, atom, depth, found, seen)


def _carried_closure(
    s: State, frame: Frame | None, atom: FunctionValue, depth: int, found: set[Taint], seen: set[Atom]
) -> None:
    """A nested function keeps what it closes over."""
    env = atom.env
    if env is None or env.phase is not Phase.REQUEST or depth <= 0 or env.info.function.kind is not Kind.FUNCTION:
        return
    for ident in sorted(_free_names(atom.info)):
        if ident in env.info.function.bound:
            _carried(s, frame, everything(s, env, ident), depth - 1, found, seen)


def _free_names(info: FunctionInfo) -> set[str]:
    names: set[str] = set()
    stack: list[Any] = [*info.function.ops]
    while stack:
        node = stack.pop()
        if isinstance(node, Name):
            if node.id not in info.function.bound:
                names.add(node.id)
        elif isinstance(node, tuple):
            stack.extend(x for x in node if isinstance(x, tuple))
    return names


_TERMS: dict[type[Any], Callable[[State, Frame, Any, int], Value]] = {
    Const: constant,
    Name: name,
    Attr: attr,
    Item: item,
    Call: call,
    Choice: choice,
    Blend: blend,
    Test: test,
    Display: display,
    Part: part,
    Await: awaited,
    Yield: yielded,
    Star: starred,
    FunctionRef: function_ref,
    ClassRef: class_ref,
    Imported: imported,
}
_ATTRIBUTES: dict[type[Atom], Callable[[State, Frame, Any, str, int, int], Value]] = {
    ModuleValue: _module_attribute,
    External: _external_attribute,
    ClassValue: _class_attribute,
    Instance: _instance_attribute,
    Member: _member_attribute,
    Taint: _taint_attribute,
    Token: _same_attribute,
    FunctionValue: _function_attribute,
    Anything: _anything_attribute,
}
__all__ = ["ELEMENT", "Partial", "carried", "element", "evaluate", "everything", "mixed"]
