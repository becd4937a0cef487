"""Every occurrence of an attribute or a module-level name in the program, and what is done to it there.

Looks at all functions, reached or not, because a codemod must not leave one behind.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator

from msgspec import Struct

from leaklint.index.summary import (
    Attr,
    Await,
    Bind,
    Blend,
    Call,
    Const,
    Drop,
    Eval,
    How,
    Imported,
    Item,
    Kind,
    Name,
    Op,
    Part,
    Range,
    Return,
    Star,
    Term,
    Test,
    Yield,
    inside,
    rows,
)
from leaklint.models import Models
from leaklint.project.program import FunctionInfo, Module, Program
from leaklint.project.suspect import Access, Use


class Occurrence(Struct, frozen=True):
    """A term that names the slot, its operation and what the operation does to it."""

    info: FunctionInfo
    position: int
    term: Term
    span: Range
    access: Access


def attribute_occurrences(program: Program, models: Models, name: str) -> Iterator[Occurrence]:
    """All places that say `<anything>.name`, or name it in `getattr`, `setattr`, `delattr` and `hasattr`."""
    for module in program.with_attribute(name):
        for found in _on_lines(module, models, module.lines_with({name})):
            if (isinstance(found.term, Attr) and found.term.name == name) or (
                isinstance(found.term, Call) and _names_attribute(found.term, name)
            ):
                yield found


def name_occurrences(program: Program, models: Models, module: Module, name: str) -> Iterator[Occurrence]:
    """All places that say a module-level name: in its module, imported from it, or as `module.name`."""
    around = {*program.with_attribute(name), *program.importing.get(name, ())}
    for other in program.modules:
        if other is not module and other not in around:
            continue
        aliases = {name} if other is module else set(_imported_as(program, other, module, name))
        for found in _on_lines(other, models, other.lines_with({name, *aliases})):
            info, term = found.info, found.term
            if (isinstance(term, Name) and term.id in aliases and not _shadowed(info, term.id)) or (
                isinstance(term, Attr) and term.name == name and _is_module(program, info, term.base, module)
            ):
                yield found


def _on_lines(module: Module, models: Models, lines: list[int]) -> Iterator[Occurrence]:
    """The occurrences of anything in statements and defaults of parameters that touch one of the lines."""

    def touches(span: Range) -> bool:
        first, last = rows(span)
        at = bisect_left(lines, first)
        return at < len(lines) and lines[at] <= last

    for info in module.functions:
        if info.function.kind is Kind.MODULE or touches(info.function.span):
            yield from _occurrences(info, models, touches)


def _imported_as(program: Program, other: Module, module: Module, name: str) -> Iterator[str]:
    for info in other.functions:
        for op in info.function.ops:
            if (
                isinstance(op, Bind)
                and op.how is How.IMPORT
                and isinstance(op.value, Imported)
                and op.value.name == name
            ):
                if program.find(other, op.value.module, op.value.level) is module and isinstance(op.target, Name):
                    yield op.target.id


def _shadowed(info: FunctionInfo, name: str) -> bool:
    scope: FunctionInfo | None = info
    while scope is not None and scope.function.parent >= 0:
        if name in scope.function.bound and name not in scope.function.globals:
            return not any(
                isinstance(op, Bind) and op.how is How.IMPORT and isinstance(op.target, Name) and op.target.id == name
                for op in scope.function.ops
            )
        scope = scope.parent
    return False


def _is_module(program: Program, info: FunctionInfo, base: Term, module: Module) -> bool:
    if not isinstance(base, Name):
        return False
    for scope in (info, info.module.functions[0]):
        for position in scope.binds().get(base.id, ()):
            value = scope.function.ops[position].value  # type: ignore[union-attr]
            if not isinstance(value, Imported):
                continue
            full = f"{value.module}.{value.name}" if value.name and value.module else value.module or value.name
            if program.find(info.module, full, value.level) is module:
                return True
    return False


def _names_attribute(call: Call, name: str) -> bool:
    return (
        isinstance(call.func, Name)
        and call.func.id in ("getattr", "setattr", "delattr", "hasattr")
        and len(call.args) > 1
        and isinstance(call.args[1], Const)
        and call.args[1].value == name
    )


def _occurrences(info: FunctionInfo, models: Models, wanted: Callable[[Range], bool]) -> Iterator[Occurrence]:
    """All names, attributes and literal `setattr`-like calls of one function with what is done to them."""
    for position, op in enumerate(info.function.ops):
        if not wanted(op.span) and not any(map(wanted, _spans(op))):
            continue
        for term, access in _of_operation(op, models):
            yield Occurrence(info, position, term, term.span, access)  # type: ignore[union-attr]
    for param in info.function.params:
        if param.default is not None:
            for term, access in _walk(param.default, Access.ESCAPE, models):
                yield Occurrence(info, 0, term, term.span, access)  # type: ignore[union-attr]


def _spans(op: Op) -> Iterator[Range]:
    """The ranges that hold terms of an operation beside its own: what a loop goes over need not stand at its target."""
    if op.__class__ is Bind:
        terms = [op.target, op.value]
    elif op.__class__ is Drop:
        terms = [op.target]
    else:
        return
    for term in terms:
        while isinstance(term, (Part, Await, Yield, Star)):
            term = term.value
        yield getattr(term, "span", 0)


def _of_operation(op: Op, models: Models) -> Iterator[tuple[Term, Access]]:
    match op:
        case Bind(target=target, value=value, how=how):
            if how is How.AUGMENT:
                yield from _target(target, Access.MUTATE, models)
                if isinstance(value, Blend):
                    for part in value.parts[1:]:
                        yield from _walk(part, Access.READ, models)
                return
            yield from _target(target, Access.STORE, models)
            if how not in (How.DEFINE, How.IMPORT, How.DECLARE):
                yield from _walk(value, Access.READ if how is How.LOOP else Access.ESCAPE, models)
        case Drop(target=target):
            yield from _target(target, Access.DELETE, models)
        case Eval(term=term):
            yield from _walk(term, Access.READ, models)
        case Return(value=value):
            yield from _walk(value, Access.ESCAPE, models)


def _target(term: Term, access: Access, models: Models) -> Iterator[tuple[Term, Access]]:
    if isinstance(term, (Name, Attr)):
        yield term, access
        if isinstance(term, Attr):
            yield from _walk(term.base, Access.READ, models)
    elif isinstance(term, Item):
        base_access = Access.MUTATE if access is Access.STORE else access
        if isinstance(term.base, (Name, Attr)):
            yield term.base, base_access
            if isinstance(term.base, Attr):
                yield from _walk(term.base.base, Access.READ, models)
        else:
            yield from _walk(term.base, Access.READ, models)
        yield from _walk(term.key, Access.READ, models)


def _walk(term: Term, access: Access, models: Models) -> Iterator[tuple[Term, Access]]:
    match term:
        case Name():
            yield term, access
        case Attr(base=base):
            yield term, access
            yield from _walk(base, Access.READ, models)
        case Item(base=base, key=key):
            yield from _walk(base, Access.READ, models)
            yield from _walk(key, Access.READ, models)
        case Call(func=func, args=args, keywords=keywords):
            if isinstance(func, Name) and func.id in _ATTRIBUTE_CALLS and len(args) > 1 and isinstance(args[1], Const):
                yield term, _ATTRIBUTE_CALLS[func.id]
            if isinstance(func, Attr):
                yield func, Access.READ
                yield from _walk(func.base, _method_access(func.name, models), models)
            else:
                yield from _walk(func, Access.READ, models)
            for arg in args:
                yield from _walk(arg, Access.ESCAPE, models)
            for _, value in keywords:
                yield from _walk(value, Access.ESCAPE, models)
        case Test(parts=parts):
            for part in parts:
                yield from _walk(part, Access.READ, models)
        case Part(value=value):
            yield from _walk(value, Access.READ, models)
        case Const() | Imported():
            return
        case _:
            for part in inside(term):
                yield from _walk(part, access, models)


_ATTRIBUTE_CALLS = {"getattr": Access.READ, "hasattr": Access.READ, "setattr": Access.STORE, "delattr": Access.DELETE}
_CONTAINERS = ("builtins.dict", "builtins.list", "builtins.set", "collections.deque")


def _method_access(name: str, models: Models) -> Access:
    """What a method of that name does to a container it is called on."""
    for kind in _CONTAINERS:
        model = models.call(f"{kind}.{name}")
        if model is not None and model.removes:
            return Access.DELETE
        if model is not None and model.adds >= 0:
            return Access.MUTATE
    return Access.READ


def use(found: Occurrence, covered: bool) -> Use:
    """An occurrence as plain data."""
    module = found.info.module
    op = found.info.function.ops[found.position]
    return Use(
        access=found.access,
        span=module.span(found.span),
        statement=module.span(op.span),
        function=found.info.qualname,
        covered=covered,
    )
