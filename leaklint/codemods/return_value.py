"""A value that a method leaves in an attribute for its callers, who read it right back, to what the method returns.

The method must set the attribute once, in every call, and return nothing yet; everyone who reads the attribute must
have called the method before, on the same object and in the same function. Everything else is Refused.
"""

from __future__ import annotations

from collections.abc import Sequence

import libcst as cst
from msgspec import Struct

from leaklint.codemods import Refused, flow, offer
from leaklint.codemods.attribute_local import attribute, is_first_value
from leaklint.codemods.calls import subclasses
from leaklint.codemods.scope import free_name, function_of, names_in, parameters
from leaklint.finding import Edit, Fix, Safety
from leaklint.project.suspect import Place, PlaceKind, Use
from leaklint.syntax import REMOVE, Files, Replacement, Syntax


def return_it(place: Place, uses: Sequence[Use], files: Files) -> Fix:
    """Return the value of the attribute of `place`; `uses` is every occurrence of it in the program."""
    return offer(f"Return `{place.slot}`", Safety.SUGGESTED, lambda: _converted(place, uses, files))


class _Read(Struct, frozen=True):
    """One read of the attribute, and the function that makes it."""

    syntax: Syntax
    node: cst.Attribute
    function: cst.FunctionDef


def _converted(place: Place, uses: Sequence[Use], files: Files) -> list[Edit]:
    if place.kind is not PlaceKind.INSTANCE or place.library or not uses:
        raise Refused(f"where else `{place.slot}` is used is not known")
    for use in uses:
        if not use.covered:
            raise Refused(f"the object at {use.span.path}:{use.span.line} may be another one")
    replaced: dict[str, dict[cst.CSTNode, Replacement]] = {}
    stores: list[tuple[Syntax, cst.Attribute]] = []
    reads: list[_Read] = []
    for use in uses:
        syntax = files[use.span.path]
        node = attribute(syntax, use, place.slot)
        function = function_of(syntax, node)
        if is_first_value(syntax, node, place):
            replaced.setdefault(syntax.path, {})[syntax.statement(node)] = REMOVE
        elif isinstance(syntax.parent(node), cst.AssignTarget):
            stores.append((syntax, node))
        elif function is not None and isinstance(node.value, cst.Name | cst.Attribute) and not _is_target(syntax, node):
            reads.append(_Read(syntax, node, function))
        else:
            raise Refused(f"`{place.slot}` is not plainly read at {syntax.site(node)}")
    if len(stores) != 1 or not reads:
        raise Refused(f"`{place.slot}` is not set at one place and read elsewhere")
    syntax, store = stores[0]
    method, value = _method(syntax, store, place)
    if any(read.function is method for read in reads):
        raise Refused(f"`{method.name.value}` reads `{place.slot}` itself")
    returned, more = _returned(syntax, method, store, value, place.slot)
    replaced.setdefault(syntax.path, {}).update(returned)
    for path, bound in _callers(syntax, method, reads, place.slot, files).items():
        replaced.setdefault(path, {}).update(bound)
    edits = [edit for path, each in replaced.items() for edit in files[path].rewrite(each)]
    return [*edits, *more, *_typed(syntax, method)]


def _is_target(syntax: Syntax, node: cst.CSTNode) -> bool:
    above = syntax.parent(node)
    return isinstance(above, cst.AugAssign | cst.AnnAssign | cst.Del | cst.AsName | cst.NamedExpr | cst.Element)


def _method(syntax: Syntax, store: cst.Attribute, place: Place) -> tuple[cst.FunctionDef, cst.BaseExpression]:
    """The method that stores the value in every call, and the value."""
    method, statement = function_of(syntax, store), syntax.statement(store)
    owner = syntax.enclosing(store, cst.ClassDef)
    if method is None or owner is None or owner.name.value != place.owner.rpartition(".")[2]:
        raise Refused(f"`{place.slot}` is not set by a method of its class at {syntax.site(store)}")
    name, params = method.name.value, parameters(method)
    if not params or syntax.code(store.value) != params[0].name.value:
        raise Refused(f"`{name}` sets it on another object at {syntax.site(store)}")
    if method.decorators or owner.bases or (name.startswith("__") and name.endswith("__")):
        raise Refused(f"`{name}` cannot return anything else at {syntax.site(method)}")
    if syntax.parent(statement) is not method.body:
        raise Refused(f"`{name}` does not always set `{place.slot}` at {syntax.site(store)}")
    for node in syntax.walk(method.body, cst.Return, cst.Yield):
        if function_of(syntax, node) is method:
            raise Refused(f"`{name}` gives something back already at {syntax.site(node)}")
    match statement:
        case cst.SimpleStatementLine(body=[cst.Assign(targets=[_], value=value)]):
            return method, value
        case _:
            raise Refused(f"`{place.slot}` is not plainly set at {syntax.site(store)}")


def _returned(
    syntax: Syntax, method: cst.FunctionDef, store: cst.Attribute, value: cst.BaseExpression, slot: str
) -> tuple[dict[cst.CSTNode, Replacement], list[Edit]]:
    """The value is returned where it was stored last, else kept in a variable until the method is done."""
    last = method.body.body[-1]
    assign = syntax.parent(syntax.parent(store) or store)
    if assign is not None and syntax.statement(store) is last:
        return {assign: f"return {syntax.text[slice(*syntax.whole(value))]}"}, []
    name = free_name(slot, names_in(syntax, method))
    end = syntax.whole(last)[1]
    line = f"{syntax.indent(last)}return {name}"
    ended = syntax.text[end - 1 : end] in ("\n", "\r")
    return {store: name}, [syntax.insert(end, f"{line}{syntax.newline}" if ended else f"{syntax.newline}{line}")]


def _typed(syntax: Syntax, method: cst.FunctionDef) -> list[Edit]:
    """`-> None` is no longer so; what it is instead nobody can say."""
    if method.returns is None:
        return []
    start = syntax.whole(method.returns)[0]
    end = syntax.whole(method.returns.annotation)[1]
    if syntax.code(method.returns.annotation) != "None":
        return []
    return [Edit(syntax.path, start, end, syntax.text[start:end], "")]


def _callers(
    syntax: Syntax, method: cst.FunctionDef, reads: Sequence[_Read], slot: str, files: Files
) -> dict[str, dict[cst.CSTNode, Replacement]]:
    """Calls that are followed by reads bind the value to a variable, which takes the place of the reads."""
    replaced: dict[str, dict[cst.CSTNode, Replacement]] = {}
    by_function: dict[cst.FunctionDef, list[_Read]] = {}
    for read in reads:
        by_function.setdefault(read.function, []).append(read)
    calls = _calls(syntax, method, files)
    for function, own in by_function.items():
        there = own[0].syntax
        receivers = {there.code(read.node.value) for read in own}
        called = {call: text for where, call, text in calls if where is there and function_of(there, call) is function}
        if len(receivers) != 1 or not called or set(called.values()) != receivers:
            raise Refused(f"`{slot}` is read where `{method.name.value}` was not called: {there.site(own[0].node)}")
        if len(by_function) > 1 and (other := _other_call(there, function, method, own[0].node.value)) is not None:
            raise Refused(f"`{slot}` may be set again by the call at {there.site(other)}")
        if early := flow.unassigned(there, function, list(called), [read.node for read in own]):
            raise Refused(f"`{slot}` may be what an earlier call left at {there.site(early[0])}")
        name = free_name(slot, names_in(there, function))
        here = replaced.setdefault(there.path, {})
        for call in called:
            statement = _alone(there, call)
            here[statement] = f"{name} = {there.code(statement)}"
        here |= {read.node: name for read in own}
    return replaced


def _other_call(
    syntax: Syntax, function: cst.FunctionDef, method: cst.FunctionDef, receiver: cst.BaseExpression
) -> cst.Call | None:
    """A call of another method on the same object, which may call this method in its turn."""
    for node in syntax.walk(function.body, cst.Call):
        match node:
            case cst.Call(func=cst.Attribute(value=value, attr=cst.Name(value=name))) if name != method.name.value:
                if syntax.code(value) == syntax.code(receiver):
                    return node
    return None


def _alone(syntax: Syntax, call: cst.Call) -> cst.BaseSmallStatement:
    """The statement that is nothing but the call, awaited or not."""
    above = syntax.parent(call)
    above = syntax.parent(above) if isinstance(above, cst.Await) else above
    if isinstance(above, cst.Expr):
        return above
    raise Refused(f"the call is part of more at {syntax.site(call)}")


def _calls(syntax: Syntax, method: cst.FunctionDef, files: Files) -> list[tuple[Syntax, cst.Call, str]]:
    """All calls of the method, each with the text of its object. Raises Refused where its name is used otherwise."""
    owner, name = syntax.enclosing(method, cst.ClassDef), method.name.value
    if owner is None or subclasses(owner.name.value, files):
        raise Refused(f"another class may have its own `{name}`")
    found: list[tuple[Syntax, cst.Call, str]] = []
    for path, _ in files.with_word(name):
        there = files[path]
        for node in there.walk(there.module, cst.Attribute, cst.FunctionDef):
            if isinstance(node, cst.Attribute) and node.attr.value == name:
                call = there.parent(node)
                if not isinstance(call, cst.Call) or call.func is not node:
                    raise Refused(f"`{name}` is passed on at {there.site(node)}")
                found.append((there, call, there.code(node.value)))
            elif isinstance(node, cst.FunctionDef) and node.name.value == name and node is not method:
                if isinstance(there.enclosing(node, (cst.ClassDef, cst.FunctionDef)), cst.ClassDef):
                    raise Refused(f"another class has its own `{name}` at {there.site(node)}")
    return found
