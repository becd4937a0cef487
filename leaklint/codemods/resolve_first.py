"""A value of the surroundings to one that the override is asked for first, in the way that a sibling shows.

A sibling is a function of the file, or a method of the class or of one that it derives from; it binds the same variable
from a call with the same override. Where nobody shows how to ask, or two show it differently, that is a refusal.
"""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from leaklint.codemods import Refused, offer
from leaklint.codemods.calls import superclasses
from leaklint.codemods.names import is_local
from leaklint.codemods.scope import function_of, methods, parameters
from leaklint.finding import Edit, Fix, Safety
from leaklint.syntax import Files, Syntax


def ask_first(syntax: Syntax, node: cst.CSTNode, override: str, files: Files) -> Fix:
    """Bind the variable from the program's own call with `override`; keep its assignment for where that has none.

    Args:
        syntax: the file of the node.
        node: the value of the surroundings, in the value of an assignment to one variable.
        override: a parameter of the function around it.
        files: the program.
    """
    title = f"Ask for what `{override}` says first"
    return offer(title, Safety.SUGGESTED, lambda: _converted(syntax, node, override, files))


def _converted(syntax: Syntax, node: cst.CSTNode, override: str, files: Files) -> list[Edit]:
    function = function_of(syntax, node)
    line = syntax.statement(node)
    match line:
        case cst.SimpleStatementLine(
            body=[cst.Assign(targets=[cst.AssignTarget(target=cst.Name(value=name))]) as assign]
        ) if syntax.holds(assign.value, node):
            pass
        case _:
            raise Refused(f"it is not assigned to a variable at {syntax.site(node)}")
    if function is None or override not in {param.name.value for param in parameters(function)}:
        raise Refused(f"`{override}` is no parameter at {syntax.site(node)}")
    shown = dict.fromkeys(
        _text(there, one, name)
        for there, one in _siblings(syntax, function, override, files)
        if _binds(one, name) and isinstance(one.value, cst.Await) is (function.asynchronous is not None)
    )
    if not shown:
        raise Refused(f"no other function asks `{override}` for `{name}`: {syntax.site(node)}")
    if len(shown) > 1:
        raise Refused(f"others ask `{override}` for `{name}` in different ways: {syntax.site(node)}")
    level, inner = syntax.indent(line), syntax.module.default_indent
    start, end = syntax.range(line)
    if syntax.span(line).line != syntax.span(line).end_line:
        raise Refused(f"the assignment takes several lines at {syntax.site(line)}")
    lines = [next(iter(shown)), f"if not {name}:", f"{inner}{syntax.text[start:end]}"]
    return list(syntax.replace(start, end, f"{syntax.newline}{level}".join(lines)))


def _siblings(
    syntax: Syntax, function: cst.FunctionDef, override: str, files: Files
) -> Iterator[tuple[Syntax, cst.Assign]]:
    """Assignments of one call with `override` alone, of a method through `self` or of a function of the file."""
    for node in syntax.walk(syntax.module):
        if isinstance(node, cst.Assign) and isinstance(called := _called(node, override), cst.Name):
            around = function_of(syntax, node)
            if around not in (None, function) and not is_local(syntax, called, called.value):
                yield syntax, node
    owner = syntax.enclosing(function, cst.ClassDef)
    if owner is None or not _has_self(function):
        return
    for there, above in (syntax, owner), *_classes(superclasses(owner, files)[0], files):
        for method in methods(above):
            for node in there.walk(method) if method is not function and _has_self(method) else ():
                if isinstance(node, cst.Assign) and isinstance(_called(node, override), cst.Attribute):
                    yield there, node


def _has_self(function: cst.FunctionDef) -> bool:
    params = (*function.params.posonly_params, *function.params.params)
    return bool(params) and params[0].name.value == "self"


def _classes(names: set[str], files: Files) -> Iterator[tuple[Syntax, cst.ClassDef]]:
    for name in sorted(names):
        for path, _ in files.with_word(f"class {name}"):
            syntax = files[path]
            for node in syntax.walk(syntax.module, cst.ClassDef):
                if node.name.value == name:
                    yield syntax, node


def _called(node: cst.Assign, override: str) -> cst.Name | cst.Attribute | None:
    """What `x = f(override)` or `x, y = await self.f(override)` calls: a name, or what hangs at `self`."""
    value = node.value.expression if isinstance(node.value, cst.Await) else node.value
    match value:
        case cst.Call(
            func=cst.Name() | cst.Attribute(value=cst.Name(value="self")) as func,
            args=[cst.Arg(value=cst.Name(value=given), star="")],
        ) if given == override and len(node.targets) == 1:
            return func
        case _:
            return None


def _binds(node: cst.Assign, name: str) -> bool:
    return name in _bound(node)


def _bound(node: cst.Assign) -> list[str]:
    """The variables that an assignment binds, in order; empty where it binds anything else."""
    target = node.targets[0].target
    names = [element.value for element in target.elements] if isinstance(target, cst.Tuple) else [target]
    plain = [one.value for one in names if isinstance(one, cst.Name)]
    return plain if len(plain) == len(names) else []


def _text(syntax: Syntax, node: cst.Assign, name: str) -> str:
    """The sibling's assignment, which binds nothing but the variable."""
    names = [one if one == name else "_" for one in _bound(node)]
    return f"{', '.join(names)}{',' if len(names) == 1 and _is_tuple(node) else ''} = {syntax.code(node.value)}"


def _is_tuple(node: cst.Assign) -> bool:
    return isinstance(node.targets[0].target, cst.Tuple)
