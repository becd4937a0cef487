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
    Blend,
    Call,
    Choice,
    ClassRef,
    Const,
    Display,
    FunctionRef,
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
from leaklint.project import calls, library_calls
from leaklint.project.absent import filled
from leaklint.project.attributes import attr, attribute, class_lookup, modelled, request_data
from leaklint.project.contents import carried
from leaklint.project.copies import copied
from leaklint.project.program import FunctionInfo, Module
from leaklint.project.state import ITEMS, LITERALS, Frame, State, item_field, loaded
from leaklint.project.suspect import Strength
from leaklint.project.values import (
    ANYTHING,
    NOTHING,
    Ambient,
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
    Phase,
    Taint,
    Token,
    Value,
)

_CLASS, _MODULE = Kind.CLASS, Kind.MODULE  # looked up once
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


def _name(s: State, frame: Frame, term: Name, at: int) -> Value:
    ident = term.id
    if ident in frame.info.locals:
        value = local(s, frame, ident, at)
        if value or frame.info.function.kind is not _CLASS:
            return value  # a class body takes what it has not bound yet from outside: `join = join`
    return free(s, frame, ident, term.span, at)


def local(s: State, frame: Frame, ident: str, at: int) -> Value:
    """A local name at an operation: the bindings that reach it, and the argument where none surely comes before."""
    info = frame.info
    positions, initial = info.reaching(ident, at)
    value = frame.args.get(ident, NOTHING) if initial else NOTHING
    for position in positions:
        value = value | frame.values[position] if value else frame.values[position]
    if info.function.kind is _MODULE:
        written = s.read(s.module_value(info.module), ident, frame)
        return written if not positions or not value else value | written
    return value


def free(s: State, frame: Frame, ident: str, span: int, at: int) -> Value:
    """A name of an enclosing function, of the module, or a builtin."""
    scope: Frame | None = frame
    for _ in range(frame.info.scope(ident)):
        scope = scope.env if scope is not None else None
    if scope is not None and scope is not frame:
        loaded(frame, scope, ident, span, at)
        return everything(s, scope, ident) | s.read(scope, ident, frame)
    module = frame.info.module
    holder = s.module_value(module)
    if ident in module.functions[0].function.bound or ident in s.heap.get(holder, ()):
        loaded(frame, holder, ident, span, at)
        return s.read(holder, ident, frame)
    for op in module.functions[0].binds().get("*", ()):
        found = star_import(s, frame, module, op, ident)
        if found:
            return found
    if ident == "__name__":
        return frozenset((s.literal(module.name, module, module.functions[0].function.head),))
    return s.builtin(ident)


def everything(s: State, frame: Frame, ident: str) -> Value:
    """Whatever a local name holds at any time, as closures see it."""
    value = frame.args.get(ident, NOTHING)
    for position in frame.info.binds().get(ident, ()):
        value = value | frame.values[position]
    return value


def star_import(s: State, frame: Frame, module: Module, position: int, ident: str) -> Value:
    """A name that `from module import *` at an operation of the module brings in."""
    op = module.functions[0].function.ops[position]
    imported = op.value  # type: ignore[union-attr]
    if not isinstance(imported, Imported):
        return NOTHING
    target = s.program.find(module, imported.module, imported.level)
    if target is None and not imported.level and s.models.speak_of(s.models.canonical(f"{imported.module}.{ident}")):
        return _imported(s, frame, Imported(imported.module, ident, 0), position)
    if target is None or target is module:
        return NOTHING
    calls.import_module(s, target)
    return s.read(s.module_value(target), ident, frame)


def _imported(s: State, frame: Frame, term: Imported, at: int) -> Value:
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
            if found := star_import(s, frame, target, op, term.name):
                return found
    sub = s.program.find(module, f"{term.module}.{term.name}" if term.module else term.name, term.level)
    if sub is not None:
        calls.import_module(s, sub)
        return frozenset((s.module_value(sub),))
    if term.level or (target is not None and (not target.is_package or "*" in target.functions[0].function.bound)):
        return NOTHING
    fqn = s.models.canonical(f"{term.module}.{term.name}")  # maybe a module that is generated and not there yet
    known = s.models.attribute(fqn)
    if known is not None and known.gives in ("isolated", "instance", "neutral"):
        return modelled(s, frame, fqn, known.gives, known.type, known.concept, 0)
    return frozenset((s.external(fqn),))


# --- items ----------------------------------------------------------------------------------------------------------


def _item(s: State, frame: Frame, term: Item, at: int) -> Value:
    base = evaluate(s, frame, term.base, at)
    key = evaluate(s, frame, term.key, at)
    if term.key.__class__ is Blend and term.key.op == "slice":
        return _sliced(s, frame, base, term)
    found: set[Atom] = set()
    for atom in base:
        found.update(item(s, frame, atom, term, key, at))
    return frozenset(found)


def item(s: State, frame: Frame, atom: Atom, term: Item, key: Value, at: int) -> Value:
    """What one atom gives for a key: what stands there, and what it makes itself where nothing does."""
    made = filled(s, frame, atom, term, key, at) if atom.__class__ is Instance and atom.fqn else NOTHING
    return element(s, frame, atom, term.key, key, term.span, at) | made


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
        if (provided := library_calls.provided(s, frame, key)) != key:
            return provided  # `Provide[Container.service]`
        return frozenset((atom,))  # `List[int]` is a list
    if isinstance(atom, Instance) and atom.cls is not None:
        method = class_lookup(s, frame, atom, "__getitem__", span, at, NOTHING)
        callee = [m for m in method if isinstance(m, Method)]
        if callee:
            call = Call(Name("", span), (key_term,), (), span, 0)
            return calls.call_atom(s, frame, callee[0], call, (key,), (), at)
    if isinstance(atom, Instance) and atom.cls is None and (kind := s.models.type(atom.fqn)) is not None:
        if kind.holds == "request":
            others = select_items(s, frame, atom, key_term, key, span, at)
            return frozenset(a for a in others if not isinstance(a, Token)) | {request_data(s, _text_of(key_term))}
    if isinstance(atom, (Instance, Member, External)):
        value = select_items(s, frame, atom, key_term, key, span, at)
        taints = [k for k in key if isinstance(k, Taint)]
        return value | frozenset(taints) if taints else value
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
        loaded(frame, atom, ITEMS, span, at)
        return _items_of_one(s, frame, atom, key) if any(map(_is_identity, key)) else s.items(atom, frame)
    field = item_field(constant)
    loaded(frame, atom, field, span, at)
    others = s.read(atom, ITEMS, frame)  # of ids and constants under other keys, none is the one asked for
    found = s.read(atom, field, frame) | frozenset([a for a in others if a.__class__ not in (Token, Literal)])
    return found or _part_named(s, atom, constant)


def _part_named(s: State, atom: Any, name: object) -> Value:
    """What a library object has under a name, as `client["chat"]`."""
    kind = s.models.type(atom.fqn) if getattr(atom, "fqn", "") else None
    return frozenset((s.member(atom, str(name), kind.parts),)) if kind is not None and kind.parts else NOTHING


def _is_identity(key: Atom) -> bool:
    return isinstance(key, Taint) and key.strength is Strength.IDENTITY


def _items_of_one(s: State, frame: Frame, atom: Any, key: Value) -> Value:
    """Items under the id of a user or session, which is none of the constants that the code names."""
    said = [s.read(atom, item_field(k.value), frame) for k in key if isinstance(k, Literal)]
    return s.read(atom, ITEMS, frame).union(*said)


def constant_key(term: Term | None, value: Value) -> object | None:
    """The one constant that a key is, or `None`."""
    if isinstance(term, Const) and isinstance(term.value, (str, int)):
        return term.value
    if len(value) == 1:
        (atom,) = value
        if isinstance(atom, Literal):
            return atom.value
        if isinstance(atom, Instance) and _is_made_by_a_module(atom):
            return "object", atom.module.path, atom.span
        if isinstance(atom, ClassValue):
            return "class", atom.info.qualname
    return None


def _is_made_by_a_module(atom: Instance) -> bool:
    """Whether there is one such object, which a module made: a key that only it can be."""
    if atom.frame is None or atom.joined or atom.phase is not Phase.SETUP:
        return False
    return atom.frame.info.function.kind in (Kind.MODULE, Kind.CLASS)


# --- calls and computed values --------------------------------------------------------------------------------------


def _call(s: State, frame: Frame, term: Call, at: int) -> Value:
    func = _TERMS[term.func.__class__](s, frame, term.func, at)
    args: Args = ()
    if len(term.args) == 1:
        (only,) = term.args
        args = (_TERMS[only.__class__](s, frame, only, at),)
    elif term.args:
        args = tuple([_TERMS[a.__class__](s, frame, a, at) for a in term.args])  # `*x` is what `x` is
    keywords: Keywords = ()
    if term.keywords:
        keywords = tuple([(k, _TERMS[v.__class__](s, frame, v, at)) for k, v in term.keywords])
    return calls.call(s, frame, term, func, args, keywords, at)


def _choice(s: State, frame: Frame, term: Choice, at: int) -> Value:
    if term.test is not None:
        evaluate(s, frame, term.test, at)
    value: Value = NOTHING
    for part in term.parts:
        value = value | evaluate(s, frame, part, at)
    return value


def _blend(s: State, frame: Frame, term: Blend, at: int) -> Value:
    """A computed value keeps what is personal and what makes it unique; constants in it say nothing."""
    parts = [evaluate(s, frame, p, at) for p in term.parts]
    if term.op == "Add" and all(any(isinstance(a, Instance) for a in p) for p in parts):
        return copied(s, frame, NOTHING.union(*parts), term.span, 1)  # two lists
    if term.op == "fstring" and (text := _text(parts)):
        return frozenset((s.literal(text, frame.info.module, term.span),))
    left = mixed(s, parts)
    if term.op == "Div":
        return left | _path(s, frame, term, parts[0])
    return frozenset(a for a in left if not _is_content(a)) if term.op == "Sub" and any(map(_is_clock, parts)) else left


def _path(s: State, frame: Frame, term: Blend, base: Value) -> Value:
    """`Path("exports") / name` is a path like the first."""
    models = ((a.fqn, s.models.call(a.fqn)) for a in base if isinstance(a, Instance) and a.fqn)
    kinds = [fqn for fqn, model in models if model is not None and model.path]
    return frozenset((s.instance(None, kinds[0], frame, term.span),)) if kinds else NOTHING


def _is_clock(value: Value) -> bool:
    """Whether a value is what a clock or counter says, which less another one tells how long something took."""
    return bool(value) and all(isinstance(a, Token) and not a.fresh for a in value)


def _is_content(atom: Atom) -> bool:
    return isinstance(atom, Taint) and atom.strength is Strength.CONTENT


def _text(parts: list[Value]) -> str:
    """What constant texts make together; empty when one of them is not known or not one."""
    texts = [next(iter(p)).value for p in parts if len(p) == 1 and isinstance(next(iter(p)), Literal)]  # type: ignore[attr-defined]
    if len(texts) != len(parts) or not all(isinstance(t, str) for t in texts):
        return ""
    return "".join(texts)


def mixed(s: State, parts: list[Value]) -> Value:
    """What is left of values that were computed with: request data, tokens, ambient ids."""
    kept: set[Atom] = set()
    known: set[tuple[Token, int]] = set()  # tokens with the parts they are in
    for position, part in enumerate(parts):
        for atom in part:
            if atom.__class__ is Taint or atom.__class__ is Ambient:
                kept.add(atom)
            elif atom.__class__ is Token and atom not in kept:
                known.add((atom, position))
    for token, position in sorted(known):
        others = (a for i, other in enumerate(parts) if i != position for a in other)
        if token not in kept and not _is_made_unique(token, others):
            kept.add(token)
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


def _test(s: State, frame: Frame, term: Test, at: int) -> Value:
    """No value; but what is compared with something of a library is a condition, made for that library."""
    parts = [evaluate(s, frame, part, at) for part in term.parts]
    if any(_is_of_library(atom) for part in parts for atom in part):
        return frozenset(atom for part in parts for atom in part if isinstance(atom, Taint))
    return NOTHING


def _is_of_library(atom: Atom) -> bool:
    """Whether it is a name of a library, or a part of an object that the program set up with it, as a column is."""
    part = atom
    while isinstance(part, Member):
        part = part.owner
    if part is atom:
        return isinstance(atom, External)
    return isinstance(part, Instance) and part.cls is None and part.phase is Phase.SETUP


def _display(s: State, frame: Frame, term: Display, at: int) -> Value:
    instance = s.instance(None, f"builtins.{term.kind}", frame, term.span)
    value = frozenset((instance,))
    wide = len(term.values) > _WIDE
    if term.kind == "dict":
        for key_term, item_term in zip(term.keys, term.values, strict=True):
            if wide and _says_nothing(s, instance, item_term) and key_term.__class__ is Const:
                continue
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
        if wide and _says_nothing(s, instance, item_term):
            continue
        item_value = evaluate(s, frame, item_term, at)
        fixed = term.kind == "tuple" and not wide
        s.build(instance, item_field(position) if fixed else ITEMS, item_value)
    return value


def _says_nothing(s: State, table: Instance, term: Term) -> bool:
    """Whether an item of a wide table is mere data, and the table holds as much of such as a value keeps."""
    if term.__class__ is not Const and term.__class__ is not Display:
        return False
    held = s.heap[table].get(ITEMS, NOTHING)
    if term.__class__ is Const:
        return len(held) >= LITERALS and sum([a.__class__ is Literal for a in held]) >= LITERALS
    return ANYTHING in held and _is_data(term)


def _is_data(term: Term) -> bool:
    """Whether a term is made of constants only."""
    if term.__class__ is Display:
        return all(_is_data(part) for part in (*term.keys, *term.values) if part is not None)
    return term.__class__ is Const


def merge_items(s: State, frame: Frame, into: Instance, value: Value) -> None:
    """Copy the items of containers into another."""
    for atom in value:
        if isinstance(atom, (Instance, Member)):
            for name, items in list(s.fields(atom, frame).items()):
                if name[0] == "[":
                    s.build(into, name, items)
        elif isinstance(atom, Taint):
            s.build(into, ITEMS, frozenset((atom,)))


def _part(s: State, frame: Frame, term: Part, at: int) -> Value:
    value = evaluate(s, frame, term.value, at)
    found: set[Atom] = set()
    for atom in value:
        found.update(part_of(s, frame, atom, term.index, at))
    if term.index == 1 and term.value.__class__ is Part and term.value.index == ELEMENT:
        found.update(_second(s, frame, term.value.value, at))
    if term.index == ELEMENT and term.value.__class__ is Call:
        match term.value:
            case Call(func=Attr(base=mapping, name="values"), args=()):
                found.update(_under_names(s, frame, mapping, at))
    return frozenset(found)


def _second(s: State, frame: Frame, pairs: Term, at: int) -> Value:
    """What stands second in pairs: what a mapping has under keys which the code names, or numbered objects."""
    found: Value = NOTHING
    match pairs:
        case Call(func=Attr(base=mapping, name="items"), args=()):
            return _under_names(s, frame, mapping, at)
        case Call(func=Name(id="enumerate"), args=(numbered, *_)) if "enumerate" not in frame.info.function.bound:
            for atom in evaluate(s, frame, numbered, at):
                found = found | part_of(s, frame, atom, ELEMENT, at)
    return frozenset(a for a in found if isinstance(a, Instance) and a.cls is not None)


def _under_names(s: State, frame: Frame, mapping: Term, at: int) -> Value:
    """The objects and functions that a mapping has under keys which the code names: tables, not what requests file."""
    found: Value = NOTHING
    for atom in evaluate(s, frame, mapping, at):
        if isinstance(atom, Instance) and atom.fqn == "builtins.dict":
            named = [value for name, value in s.fields(atom, frame).items() if name != ITEMS]
            found = found.union(*named)
    return frozenset(a for a in found if isinstance(a, (FunctionValue, Method)) or (isinstance(a, Instance) and a.cls))


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
            return fields.get(item_field(index), NOTHING) | fields.get(ITEMS, NOTHING) | _named_part(s, atom, index)
        return s.items(atom, frame)
    if isinstance(atom, (Taint, Token, Ambient, Anything)):
        return frozenset((atom,))
    if isinstance(atom, (Member, ClassValue, External)) and index == ENTERED:
        return frozenset((atom,))
    if isinstance(atom, Member):
        return s.items(atom, frame)
    return NOTHING


def _named_part(s: State, atom: Instance, index: int) -> Value:
    """`app, route = fast_app()`: a part of what a library gave that the models have a name for."""
    name = f"{atom.fqn}[{index}]"
    known = s.models.canonical(name)
    if known == name:
        return NOTHING
    if known.rpartition(".")[2][:1].isupper():
        return frozenset((s.the_instance(None, known, atom.module, atom.span, atom.phase),))
    return frozenset((s.member(atom, f"[{index}]", known),))


def _keys(s: State, frame: Frame, atom: Instance) -> Value:
    return NOTHING


def _entered(s: State, frame: Frame, atom: Instance, at: int) -> Value:
    if atom.fqn == "builtins.generator":
        return s.items(atom, frame)
    if atom.cls is None:
        return frozenset((atom,))
    found: set[Atom] = set()
    call = Call(Name("", 0), (), (), s.ops(frame)[at].span, -1)
    for name in ("__enter__", "__aenter__", "__exit__", "__aexit__"):
        for method in class_lookup(s, frame, atom, name, 0, at, NOTHING):
            if isinstance(method, Method):
                given = calls.call_atom(s, frame, method, call, (), (), at)
                found.update(given if "enter" in name else NOTHING)
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


def _constant(s: State, frame: Frame, term: Const, at: int) -> Value:
    value = term.value
    if value.__class__ is str or value.__class__ is int:
        return s.constant(value, frame.info.module, term.span)
    return NOTHING


def _function_ref(s: State, frame: Frame, term: FunctionRef, at: int) -> Value:
    info: FunctionInfo = frame.info.module.functions[term.index]
    return frozenset((s.function_value(info, frame),))


def _class_ref(s: State, frame: Frame, term: ClassRef, at: int) -> Value:
    return frozenset((s.class_value(frame.info.module, term.index, frame),))


def _awaited(s: State, frame: Frame, term: Await, at: int) -> Value:
    return evaluate(s, frame, term.value, at)


def _yielded(s: State, frame: Frame, term: Yield, at: int) -> Value:
    value = evaluate(s, frame, term.value, at)
    calls.returned(s, frame, value)
    return NOTHING


def _starred(s: State, frame: Frame, term: Star, at: int) -> Value:
    return evaluate(s, frame, term.value, at)


_TERMS: dict[type[Any], Callable[[State, Frame, Any, int], Value]] = {
    Const: _constant,
    Name: _name,
    Attr: attr,
    Item: _item,
    Call: _call,
    Choice: _choice,
    Blend: _blend,
    Test: _test,
    Display: _display,
    Part: _part,
    Await: _awaited,
    Yield: _yielded,
    Star: _starred,
    FunctionRef: _function_ref,
    ClassRef: _class_ref,
    Imported: _imported,
}
__all__ = [
    "attribute",
    "carried",
    "class_lookup",
    "constant_key",
    "element",
    "evaluate",
    "everything",
    "free",
    "local",
    "merge_items",
    "mixed",
    "part_of",
    "request_data",
    "select_items",
]
