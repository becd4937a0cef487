"""Operations to state: runs the body of a frame until nothing changes, and the whole program likewise.

Values only grow, so order matters for speed, not for the answer.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from leaklint.index.summary import (
    Attr,
    Bind,
    Blend,
    Call,
    ClassRef,
    Const,
    Drop,
    Eval,
    FunctionRef,
    How,
    Item,
    Kind,
    Name,
    Return,
    Star,
    Term,
)
from leaklint.project import annotated, calls, entries, evaluate, library_calls
from leaklint.project.state import ITEMS, Edge, Effect, Frame, Holder, State, grown, item_field
from leaklint.project.suspect import Access
from leaklint.project.values import (
    NOTHING,
    SETUP,
    Atom,
    ClassValue,
    External,
    FunctionValue,
    Instance,
    Member,
    Method,
    ModuleValue,
    Phase,
    Taint,
    Value,
    is_closed,
)

_AUGMENT, _DECLARE, _DEFINE, _EXCEPT = How.AUGMENT, How.DECLARE, How.DEFINE, How.EXCEPT  # looked up once, as below
_DELETE, _STORE, _MODULE = Access.DELETE, Access.STORE, Kind.MODULE
_NESTED = 60  # frames entered one inside another before the rest waits in the work list
_ROUNDS = {Phase.SETUP: 4, Phase.REQUEST: 10}  # visits of one frame before it is left as it is
_SETUP = 10  # calls of set-up code that are followed one inside another
_PLAIN = ("builtins.dict", "builtins.list", "builtins.set", "collections.deque")
_depth = 0


def solve(s: State) -> None:
    """Visit all frames that wait, until none does."""
    while s.work:
        frame = s.work.popleft()
        if frame.dirty:
            visit(s, frame)


def visit(s: State, frame: Frame) -> None:
    """Run a frame's body once more with what is known now."""
    global _depth
    if frame.phase is SETUP and frame.depth > _SETUP:
        return
    if frame.running or _depth >= _NESTED:
        frame.dirty = False
        s.enqueue(frame, 0)
        return
    if frame in s.filled:
        entries.refill(s, frame)
    if not frame.todo:
        frame.dirty = False
        return
    limit = _ROUNDS[frame.phase]
    if frame.rounds >= limit:
        if frame.rounds == limit:
            s.gave_up += 1
            frame.rounds += 1
        frame.dirty = False
        return
    frame.running = True
    frame.dirty = False
    frame.rounds += 1
    _depth += 1
    try:
        _run(s, frame)
        if frame.todo:
            _run(s, frame)  # what a loop's end says of its beginning
    finally:
        frame.running = False
        frame.bit = 0
        _depth -= 1
    if frame.todo:
        s.enqueue(frame, 0)


def _run(s: State, frame: Frame) -> None:
    """One pass over the operations that have something new to see.

    What grows in the pass is seen by later operations in the same pass, by earlier ones in the next.
    """
    ops, written, seen = frame.info.function.ops, frame.written, frame.seen
    todo, frame.todo = frame.todo & ((1 << len(ops)) - 1), 0
    while todo:
        frame.bit = bit = todo & -todo
        at = bit.bit_length() - 1
        if at in written:
            del written[at]
        if at in seen:
            del seen[at]
        op = ops[at]
        if _OPS[op.__class__](s, frame, op, at):
            frame.todo |= frame.info.users(at)
        todo ^= bit
        if frame.todo:
            later = frame.todo & -(bit << 1)
            todo |= later
            frame.todo ^= later


# --- operations -----------------------------------------------------------------------------------------------------


def _eval(s: State, frame: Frame, op: Eval, at: int) -> bool:
    evaluate.evaluate(s, frame, op.term, at)
    return False


def _return(s: State, frame: Frame, op: Return, at: int) -> bool:
    calls.returned(s, frame, evaluate.evaluate(s, frame, op.value, at))
    return False


def _drop(s: State, frame: Frame, op: Drop, at: int) -> bool:
    target = op.target
    if isinstance(target, Attr):
        for atom in evaluate.evaluate(s, frame, target.base, at):
            keep(
                s,
                frame,
                Effect(Access.DELETE, atom, target.name, target, NOTHING, None, NOTHING, None, "del", op.span, at),
            )
    elif isinstance(target, Item):
        key = evaluate.evaluate(s, frame, target.key, at)
        constant = evaluate.constant_key(target.key, key)
        field = ITEMS if constant is None else item_field(constant)
        for atom in evaluate.evaluate(s, frame, target.base, at):
            keep(
                s, frame, Effect(Access.DELETE, atom, field, target, key, target.key, NOTHING, None, "del", op.span, at)
            )
    return False


def _bind(s: State, frame: Frame, op: Bind, at: int) -> bool:
    if op.how is _DECLARE:
        return _declare(s, frame, op, at)
    if op.how is _DEFINE:
        value = _defined(s, frame, op, at)
    else:
        value = evaluate.evaluate(s, frame, op.value, at)
        if frame.cls is not None and _is_injected(s, value):
            value = NOTHING
        elif op.how is _EXCEPT:
            value = frozenset([_caught(s, frame, atom) for atom in value])
        if op.annotation is not None and frame.cls is None and all(atom.__class__ is Taint for atom in value):
            value = value | annotated.typed(s, frame, op.annotation, frame.phase)
    target = op.target
    if target.__class__ is Name:
        return _bind_name(s, frame, op, target.id, value, at)
    if target.__class__ is Attr:
        _store_attribute(s, frame, op, target, value, at)
    elif target.__class__ is Item:
        _store_item(s, frame, op, target, value, at)
    return False


def _caught(s: State, frame: Frame, atom: Atom) -> Atom:
    """An exception of a class of the program, whoever raised it."""
    if not isinstance(atom, ClassValue):
        return atom
    return s.the_instance(atom, "", atom.info.module, atom.info.summary.head, frame.phase)


def _declare(s: State, frame: Frame, op: Bind, at: int) -> bool:
    if frame.cls is not None or not isinstance(op.target, Name) or op.annotation is None:
        return False
    value = annotated.typed(s, frame, op.annotation, frame.phase)
    return _bind_name(s, frame, op, op.target.id, value, at) if value and frame.info.function.kind is _MODULE else False


def _is_injected(s: State, value: Value) -> bool:
    """Whether a class attribute is a marker that a framework replaces for each instance."""
    for atom in value:
        model = s.models.call(atom.fqn.removesuffix("()")) if isinstance(atom, Instance) and atom.cls is None else None
        if model is not None and model.inject:
            return True
    return False


def _bind_name(s: State, frame: Frame, op: Bind, ident: str, value: Value, at: int) -> bool:
    function = frame.info.function
    if op.how is _AUGMENT and not isinstance(op.value, Name):
        value = value | _augmented(s, frame, op, ident, at)
    if ident in function.globals:
        how = "augment" if op.how is _AUGMENT else "global"
        _rebind(s, frame, op, s.module_value(frame.info.module), ident, value, how, at)
        return False
    if ident in function.nonlocals:
        scope = frame.env
        while scope is not None and ident not in scope.info.function.bound:
            scope = scope.env
        if scope is not None:
            how = "augment" if op.how is _AUGMENT else "nonlocal"
            _rebind(s, frame, op, scope, ident, value, how, at)
        return False
    if function.kind is _MODULE:
        s.write(s.module_value(frame.info.module), ident, value)
        _adopt(s, frame, s.module_value(frame.info.module), ident, value, op, at)
    elif frame.cls is not None:
        s.write(frame.cls, ident, value)
    old = frame.values[at]
    if value <= old:
        return False
    new = grown(old, value)
    if new == old:
        return False
    frame.values[at] = new
    s.wake(frame, ident)
    return True


def _augmented(s: State, frame: Frame, op: Bind, ident: str, at: int) -> Value:
    """`xs += ys` changes the list that `xs` is."""
    held = evaluate.evaluate(s, frame, Name(ident, op.span), at)
    _extend(s, frame, op, held, op.target, at)
    return frozenset(a for a in held if isinstance(a, Instance))


def _extend(s: State, frame: Frame, op: Bind, held: Value, place: Term, at: int) -> None:
    if not isinstance(op.value, Blend) or len(op.value.parts) != 2:
        return
    added_term = op.value.parts[1]
    added = evaluate.evaluate(s, frame, added_term, at)
    for atom in held:
        if isinstance(atom, Instance) and atom.fqn in ("builtins.list", "builtins.set", "builtins.dict"):
            value = library_calls.elements(s, frame, added)
            keep(
                s, frame, Effect(Access.MUTATE, atom, ITEMS, place, NOTHING, None, value, added_term, "+=", op.span, at)
            )


def _adopt(s: State, frame: Frame, holder: ModuleValue, ident: str, value: Value, op: Bind, at: int) -> None:
    """Remember how objects came to be held by a module's name."""
    for atom in value:
        key = (holder, ident, atom)
        if key not in s.edges:
            effect = Effect(_STORE, holder, ident, op.target, NOTHING, None, value, op.value, "assign", op.span, at)
            s.edges[key] = Edge(frame, effect)


def _rebind(
    s: State, frame: Frame, op: Bind, holder: ModuleValue | Frame, ident: str, value: Value, how: str, at: int
) -> None:
    keep(s, frame, Effect(_STORE, holder, ident, op.target, NOTHING, None, value, op.value, how, op.span, at))


def _store_attribute(s: State, frame: Frame, op: Bind, target: Attr, value: Value, at: int) -> None:
    how = "augment" if op.how is _AUGMENT else "assign"
    for atom in evaluate.evaluate(s, frame, target.base, at):
        if op.how is _AUGMENT:
            _extend(s, frame, op, evaluate.attribute(s, frame, atom, target.name, target.span, at), target, at)
        setter = _setter(s, frame, atom, target.name)
        if setter is not None:
            calls.enter(s, frame, setter, atom, Call(target, (op.value,), (), target.span, op.order), (value,), ())
            continue
        keep(s, frame, Effect(_STORE, atom, target.name, target, NOTHING, None, value, op.value, how, op.span, at))


def _holders_by_name(s: State, frame: Frame, base: Term, at: int) -> Value:
    """Whose names a mapping holds: `x.__dict__`, `vars(x)`, `globals()`."""
    match base:
        case Attr(base=owner, name="__dict__"):
            return evaluate.evaluate(s, frame, owner, at)
        case Call(func=Name(id="vars"), args=(owner,)) if "vars" not in frame.info.function.bound:
            return evaluate.evaluate(s, frame, owner, at)
        case Call(func=Name(id="globals"), args=()) if "globals" not in frame.info.function.bound:
            return frozenset((s.module_value(frame.info.module),))
        case _:
            return NOTHING


def _setter(s: State, frame: Frame, atom: Atom, name: str) -> FunctionValue | None:
    if name not in s.setters or not isinstance(atom, Instance) or atom.cls is None:
        return None
    for cls in calls.mro(s, atom.cls)[0]:
        for value in s.read(cls, name, frame):
            if isinstance(value, FunctionValue) and "setter" in s.traits.get(value, ()):
                return value
    return None


def _store_item(s: State, frame: Frame, op: Bind, target: Item, value: Value, at: int) -> None:
    if isinstance(target.key, Const) and isinstance(name := target.key.value, str):
        named = _holders_by_name(s, frame, target.base, at)
        for holder in named:
            keep(
                s,
                frame,
                Effect(_STORE, holder, name, target, NOTHING, None, value, op.value, "setattr", op.span, at),
            )
        if named:
            return
    key = evaluate.evaluate(s, frame, target.key, at)
    constant = evaluate.constant_key(target.key, key)
    field = ITEMS if constant is None else item_field(constant)
    how = "augment" if op.how is _AUGMENT else "item"
    for atom in evaluate.evaluate(s, frame, target.base, at):
        if isinstance(atom, Instance) and atom.cls is not None:
            method = next(
                (
                    m
                    for m in evaluate.class_lookup(s, frame, atom, "__setitem__", 0, at, NOTHING)
                    if isinstance(m, Method)
                ),
                None,
            )
            if method is not None:
                call = Call(target.base, (target.key, op.value), (), target.span, op.order)
                calls.call_atom(s, frame, method, call, (key, value), (), at)
                continue
        if op.how is _AUGMENT:
            _extend(s, frame, op, evaluate.item(s, frame, atom, target, key, at), target, at)
        keep(s, frame, Effect(_STORE, atom, field, target, key, target.key, value, op.value, how, op.span, at))


def keep(s: State, frame: Frame, effect: Effect) -> None:
    """Carry out a write, and remember it."""
    holder = effect.holder
    if not isinstance(holder, (Instance, Member, ModuleValue, ClassValue, External, FunctionValue, Frame)):
        return
    if effect.field[:1] not in ("[", "(") and isinstance(holder, Atom) and is_closed(holder):
        return
    if not s.solved:
        frame.written.setdefault(effect.position, []).append(effect)
    if effect.access is _DELETE or not effect.value:
        return
    if isinstance(holder, Instance) and is_making(frame, holder):
        s.build(holder, effect.field, effect.value)
    else:
        s.write(holder, effect.field, s.as_kept(effect.value) if _is_for_all(holder, effect) else effect.value)
    for atom in effect.value:
        if isinstance(atom, (Instance, Member, Method, FunctionValue)):
            key = (holder, effect.field, atom)
            if key not in s.edges:
                s.edges[key] = Edge(frame, effect)


def _is_for_all(holder: Holder, effect: Effect) -> bool:
    """Whether a write is to a plain place of the process, where whoever comes next finds what it keeps."""
    if effect.field[:1] == "(":
        return False
    if not isinstance(holder, Instance):
        return isinstance(holder, (ModuleValue, ClassValue))
    if holder.phase is not SETUP:
        return False
    if effect.field[:1] != "[":
        return holder.cls is not None
    return holder.fqn in _PLAIN and (effect.key_term is None or isinstance(effect.key_term, Const))


def is_making(frame: Frame, holder: Instance) -> bool:
    """Whether a frame is the object's initialiser, or the one that made it."""
    own = frame.info.function.params[:1]
    if frame.receiver is holder or (frame.crowded and any(holder in frame.args.get(p.name, ()) for p in own)):
        return frame.info.function.name in ("__init__", "__post_init__", "__new__")
    return frame is holder.frame


# --- definitions ----------------------------------------------------------------------------------------------------


def _defined(s: State, frame: Frame, op: Bind, at: int) -> Value:
    if isinstance(op.value, ClassRef):
        return _class(s, frame, op.value, at)
    assert isinstance(op.value, FunctionRef)
    info = frame.info.module.functions[op.value.index]
    function = s.function_value(info, frame)
    entries.shaped(s, frame, function)
    return entries.decorated(s, frame, frozenset((function,)), info.function.decorators, at)


def _class(s: State, frame: Frame, ref: ClassRef, at: int) -> Value:
    cls = s.class_value(frame.info.module, ref.index, frame)
    bases: Value = NOTHING
    for base in cls.info.summary.bases:
        bases = bases | evaluate.evaluate(s, frame, base.value if isinstance(base, Star) else base, at)
    bases = frozenset(_base(s, b) for b in bases if b is not cls and isinstance(_base(s, b), (ClassValue, External)))
    if not bases <= s.bases.get(cls, NOTHING) or cls not in s.bases:
        s.bases[cls] = s.bases.get(cls, NOTHING) | bases
        if cls in s.ordered:
            s.orders.clear()
            s.ordered.clear()
            for find in s.finds.values():
                find.stale = True
    body = s.frame(frame.info.module.functions[cls.info.summary.body], frame, cls, frame.phase, ())
    if body.cls is None:
        body.cls = cls
    visit(s, body)
    entries.initialised(s, frame, cls)
    entries.subclassed(s, frame, cls)
    entries.listed_in_settings(s, frame, cls)
    value: Value = frozenset((cls,))
    for decorator in reversed(cls.info.summary.decorators):
        value = entries.decorate_class(s, frame, cls, value, decorator, at)
    return value


def _base(s: State, atom: Atom) -> Atom:
    """A base class that an object of a library makes or has goes by the name of that: `class Row(make_base())`."""
    if isinstance(atom, Member) or (isinstance(atom, Instance) and atom.cls is None and atom.fqn.endswith("()")):
        return s.external(atom.fqn)
    return atom


_OPS: dict[type[Any], Callable[[State, Frame, Any, int], bool]] = {
    Bind: _bind,
    Drop: _drop,
    Eval: _eval,
    Return: _return,
}
