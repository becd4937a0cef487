"""A module-level name that keeps what the first caller got to a dict that keeps one for each id, up to a limit.

Which parameter is the id, and that the name is filled lazily, is for the rule to know. Names that other files use,
or that more than one function uses, are refused.
"""

from __future__ import annotations

import re

import libcst as cst

from leaklint.codemods import Refused, offer
from leaklint.codemods.scope import function_of, names_in, parameters
from leaklint.finding import Edit, Fix, Safety
from leaklint.syntax import REMOVE, Files, Replacement, Syntax

_LIMIT = 1000  # sessions kept before the oldest one makes room


def keep_one_for_each(syntax: Syntax, value: cst.BaseExpression, key: str, files: Files) -> Fix:
    """Keep `value`, which the function assigns to a module-level name, under the function's parameter `key`."""
    return offer(f"Keep one for each `{key}`", Safety.SUGGESTED, lambda: _keyed(syntax, value, key, files))


def _keyed(syntax: Syntax, value: cst.BaseExpression, key: str, files: Files) -> list[Edit]:
    name = _assigned_name(syntax, value)
    function = function_of(syntax, value)
    if function is None or key not in {p.name.value for p in parameters(function)}:
        raise Refused(f"`{key}` is no parameter at {syntax.site(value)}")
    _refuse_other_files(syntax, name, files)
    declaration = _declaration(syntax, name)
    several = _plural(name, names_in(syntax, syntax.module))
    replaced: dict[cst.CSTNode, Replacement] = {declaration: _table(syntax, declaration, several)}
    for node in syntax.walk(syntax.module, cst.Name):
        if node.value == name and not syntax.holds(declaration, node):
            if function_of(syntax, node) is not function:
                raise Refused(f"`{name}` is used elsewhere too: {syntax.site(node)}")
            replaced |= _at(syntax, node, f"{several}[{key}]", f"{key} in {several}", f"{key} not in {several}")
    return [_room(syntax, value, several), *syntax.rewrite(replaced)]


def _room(syntax: Syntax, value: cst.BaseExpression, several: str) -> Edit:
    """Two lines before the one that adds an entry: without them the dict would grow for ever."""
    statement = syntax.statement(value)
    indent, newline = syntax.indent(statement), syntax.newline
    inner = indent + syntax.module.default_indent
    code = f"{indent}if len({several}) >= {_LIMIT}:{newline}{inner}del {several}[next(iter({several}))]{newline}"
    return syntax.insert(syntax.start_of_line(statement), code)


def _assigned_name(syntax: Syntax, value: cst.BaseExpression) -> str:
    match syntax.parent(value):
        case cst.Assign(targets=[cst.AssignTarget(target=cst.Name(value=name))]):
            return name
        case _:
            raise Refused(f"it is not kept under one name at {syntax.site(value)}")


def _plural(name: str, taken: set[str]) -> str:
    for wanted in (f"{name}s", f"{name}_by_id", f"all_{name.strip('_')}s"):
        if wanted not in taken:
            return wanted
    raise Refused(f"there is no free name for all that `{name}` was")


def _refuse_other_files(syntax: Syntax, name: str, files: Files) -> None:
    for path, text in files.with_word(name):
        if path == syntax.path:
            continue
        if name in names_in(files[path], files[path].module) or f".{name}" in text:
            raise Refused(f"`{name}` is used in {path} too")


def _declaration(syntax: Syntax, name: str) -> cst.Assign | cst.AnnAssign:
    for line in syntax.module.body:
        for small in line.body if isinstance(line, cst.SimpleStatementLine) else ():
            match small:
                case cst.Assign(targets=[cst.AssignTarget(target=cst.Name(value=bound))], value=cst.Name(value="None")):
                    if bound == name:
                        return small
                case cst.AnnAssign(target=cst.Name(value=bound), value=cst.Name(value="None")) if bound == name:
                    return small
    raise Refused(f"`{name}` does not begin as None in {syntax.path}")


def _table(syntax: Syntax, declaration: cst.Assign | cst.AnnAssign, several: str) -> str:
    if isinstance(declaration, cst.Assign):
        return f"{several} = {{}}"
    kept = syntax.code(declaration.annotation.annotation)
    optional = re.fullmatch(r"(?:\w+\.)?Optional\[(.*)\]", kept)
    kept = optional[1] if optional else re.sub(r"\s*\|\s*None\b|\bNone\s*\|\s*", "", kept)
    return f"{several}: dict[str, {kept}] = {{}}"


def _at(syntax: Syntax, node: cst.Name, item: str, there: str, missing: str) -> dict[cst.CSTNode, Replacement]:
    """What an occurrence becomes: a question, or the item itself."""
    above = syntax.parent(node)
    match above:
        case cst.NameItem():
            declared = syntax.parent(above)
            if not isinstance(declared, cst.Global) or len(declared.names) > 1:
                raise Refused(f"it is declared with others at {syntax.site(node)}")
            return {declared: REMOVE}
        case cst.Comparison(comparisons=[cst.ComparisonTarget(operator=operator, comparator=cst.Name(value="None"))]):
            return {above: missing if isinstance(operator, cst.Is | cst.Equal) else there}
        case cst.UnaryOperation(operator=cst.Not()):
            return {above: missing}
        case cst.If(test=test) if test is node:
            return {node: there}
        case _:
            return {node: item}
