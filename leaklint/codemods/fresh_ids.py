"""Where a fresh id would be one too many: what others say, or ask for, once more has to be the same id.

By name, over the whole program, and in doubt against. Nothing is rewritten.
"""

from __future__ import annotations

import re

import libcst as cst

from leaklint.codemods import Refused
from leaklint.codemods.names import is_local
from leaklint.codemods.scope import function_of, names_in
from leaklint.syntax import Files, Syntax

_DERIVED = frozenset({"uuid3", "uuid5", "md5", "sha1", "sha224", "sha256", "sha384", "sha512", "blake2b", "blake2s"})


def refuse_derived(syntax: Syntax, value: cst.CSTNode) -> None:
    """Raise Refused where the id is computed from what the function knows, so that it comes out the same again."""
    for part in (value, *_assigned(syntax, value)):
        for node in syntax.walk(part):
            if not isinstance(node, cst.Call) or _last(node.func) not in _DERIVED:
                continue
            for name in (inner for argument in node.args for inner in syntax.walk(argument)):
                if isinstance(name, cst.Name) and is_local(syntax, name, name.value):
                    raise Refused(f"it comes out the same for each `{name.value}`: {syntax.site(node)}")


def _assigned(syntax: Syntax, value: cst.CSTNode) -> list[cst.BaseExpression]:
    """What the function assigns to the variables that the value names."""
    function = function_of(syntax, value)
    names = names_in(syntax, value)
    return [
        node.value
        for node in (syntax.walk(function.body) if function is not None else ())
        if isinstance(node, cst.Assign)
        and isinstance(node.targets[0].target, cst.Name)
        and node.targets[0].target.value in names
    ]


def refuse_known_constant(syntax: Syntax, value: cst.CSTNode, name: str, files: Files) -> None:
    """Raise Refused where the program says the same constant for an id of this name in another place."""
    if not isinstance(value, cst.SimpleString) or not name.isidentifier():
        return
    constant = re.escape(str(value.evaluated_value))
    said = re.compile(rf"""\b{name}\b["']?\]?\s*(?:[=!]=|=|:(?:\s*str\s*=)?|or\b)\s*["']{constant}["']""")
    start, end = syntax.range(value)
    for path, text in files.with_word(name):
        for match in said.finditer(text):
            if path != syntax.path or not match.start() <= start < end <= match.end():
                line = text.count("\n", 0, match.start()) + 1
                raise Refused(f"{value.value} is said for `{name}` at {path}:{line} too, and one id is needed")


def refuse_getter(syntax: Syntax, value: cst.CSTNode, files: Files) -> None:
    """Raise Refused where a function that gives the id when there is one is asked at several places."""
    function = function_of(syntax, value)
    statement = syntax.statement(value)
    if function is None or not _is_return(statement) or not _gives_another(syntax, function, statement, value):
        return
    name = function.name.value
    called = re.compile(rf"(?<!def )\b{re.escape(name)}\(")
    sites = [(path, match.start()) for path, text in files.with_word(name) for match in called.finditer(text)]
    if len(sites) > 1:
        raise Refused(f"`{name}` is asked at {len(sites)} places, which need the same id: {syntax.site(value)}")


def _is_return(statement: cst.CSTNode) -> bool:
    return isinstance(statement, cst.SimpleStatementLine) and isinstance(statement.body[-1], cst.Return)


def _gives_another(syntax: Syntax, function: cst.FunctionDef, statement: cst.CSTNode, value: cst.CSTNode) -> bool:
    """Whether the function returns something else in other cases."""
    for above in syntax.ancestors(value):
        if isinstance(above, cst.IfExp | cst.BooleanOperation):
            return True
        if above is statement:
            break
    return any(
        isinstance(node, cst.Return)
        and node.value is not None
        and not syntax.holds(statement, node)
        and function_of(syntax, node) is function
        for node in syntax.walk(function.body)
    )


def _last(node: cst.CSTNode) -> str:
    match node:
        case cst.Name(value=name) | cst.Attribute(attr=cst.Name(value=name)):
            return name
        case _:
            return ""
