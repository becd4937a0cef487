"""A function and a name of its own that is going to be closed at its end, to the refusal where what is open gets out.

By names within the function: what is taken from the session, and everything taken from that. Values that are made of it
within the function (attributes, texts, comparisons, results of other calls) may leave.
"""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from leaklint.codemods import Refused
from leaklint.codemods.scope import function_of
from leaklint.syntax import Syntax

_LOOPS = 20  # each finds at least one more name; nobody needs as many


def refuse_rows_that_leave(syntax: Syntax, function: cst.FunctionDef, name: str) -> None:
    """Raise Refused where the function returns an object that the session `name` has loaded, or may load more of."""
    loaded = {name}
    for _ in range(_LOOPS):
        more = {target for value, target in _bound(syntax, function) if _holds(value, loaded)} - loaded
        if not more:
            break
        loaded |= more
    for node in syntax.walk(function.body):
        if isinstance(node, cst.Return) and node.value is not None and function_of(syntax, node) is function:
            if _holds(node.value, loaded):
                raise Refused(f"what it returns may still need the session at {syntax.site(node)}")


def _bound(syntax: Syntax, function: cst.FunctionDef) -> Iterator[tuple[cst.BaseExpression, str]]:
    """Each value that is bound in the function, with a name that it is bound to or is put into."""
    for node in syntax.walk(function.body):
        match node:
            case cst.Assign(targets=targets, value=value):
                yield from ((value, name) for target in targets for name in _names(target.target))
            case cst.AnnAssign(target=target, value=value) if value is not None:
                yield from ((value, name) for name in _names(target))
            case cst.AugAssign(target=target, value=value) | cst.NamedExpr(target=target, value=value):
                yield from ((value, name) for name in _names(target))
            case cst.For(target=target, iter=value):
                yield from ((value, name) for name in _names(target))
            case cst.WithItem(item=value, asname=cst.AsName(name=target)):
                yield from ((value, name) for name in _names(target))
            case cst.Call(func=cst.Attribute(value=cst.Name(value=name)), args=args):
                yield from ((one.value, name) for one in args)  # `found.append(row)`


def _names(target: cst.BaseExpression) -> Iterator[str]:
    match target:
        case cst.Name(value=name):
            yield name
        case cst.Tuple(elements=elements) | cst.List(elements=elements):
            for element in elements:
                yield from _names(element.value)
        case cst.Subscript(value=value) | cst.StarredElement(value=value):
            yield from _names(value)


def _holds(value: cst.BaseExpression, loaded: set[str]) -> bool:
    """Whether what an expression gives may be, or hold, something that is loaded."""
    match value:
        case cst.Name(value=name):
            return name in loaded
        case cst.Await(expression=inner) | cst.NamedExpr(value=inner):
            return _holds(inner, loaded)
        case cst.Subscript(value=inner):
            return _holds(inner, loaded)
        case cst.Call(func=cst.Attribute() as method):
            return _root(method) in loaded
        case cst.Tuple(elements=elements) | cst.List(elements=elements) | cst.Set(elements=elements):
            return any(_holds(one.value, loaded) for one in elements)
        case cst.Dict(elements=elements):
            return any(_holds(one.value, loaded) for one in elements)
        case cst.IfExp(body=body, orelse=orelse):
            return _holds(body, loaded) or _holds(orelse, loaded)
        case cst.BooleanOperation(left=left, right=right):
            return _holds(left, loaded) or _holds(right, loaded)
        case cst.ListComp(elt=element, for_in=loop) | cst.SetComp(elt=element, for_in=loop):
            return _holds(element, loaded | _loops(loop, loaded))
        case cst.GeneratorExp():
            return any(_holds(part.iter, loaded) for part in _chain(value.for_in))
        case cst.DictComp(value=element, for_in=loop):
            return _holds(element, loaded | _loops(loop, loaded))
        case _:
            return False


def _root(node: cst.BaseExpression) -> str:
    """The name that a chain of attributes and calls begins with."""
    while not isinstance(node, cst.Name):
        match node:
            case cst.Attribute(value=inner) | cst.Call(func=inner) | cst.Subscript(value=inner):
                node = inner
            case cst.Await(expression=inner):
                node = inner
            case _:
                return ""
    return node.value


def _loops(loop: cst.CompFor, loaded: set[str]) -> set[str]:
    """The names that a comprehension binds to what is loaded."""
    return {name for part in _chain(loop) if _holds(part.iter, loaded) for name in _names(part.target)}


def _chain(loop: cst.CompFor | None) -> Iterator[cst.CompFor]:
    while loop is not None:
        yield loop
        loop = loop.inner_for_in
