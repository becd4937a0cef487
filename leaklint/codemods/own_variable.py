"""A module-level name, or a variable of a set-up function, that one function alone uses, to a variable of its own.

Refused where another function uses it, or where a call could find what an earlier one left: that is state of a session.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import libcst as cst

from leaklint.codemods import Refused, flow, imports, offer
from leaklint.codemods.names import global_statements, is_bound_in, occurrences, refuse_strings, without_declarations
from leaklint.codemods.request_local import is_kept
from leaklint.codemods.scope import function_of, outer_function
from leaklint.finding import Edit, Fix, Safety
from leaklint.project.suspect import PlaceKind, WriteSuspect
from leaklint.syntax import REMOVE, Files, Replacement, Statement, Syntax

EMPTY = re.compile(r"\[\]|\{\}|(list|dict|set|deque|collections\.deque)\(\)")


def keep_in_function(suspect: WriteSuspect, files: Files) -> Fix:
    """Make the name of `suspect.place` a local variable of the function that writes to it."""
    title = f"Make `{suspect.place.slot}` a variable of the function"
    return offer(title, Safety.SUGGESTED, lambda: _converted(suspect, files))


def _converted(suspect: WriteSuspect, files: Files) -> list[Edit]:
    name = suspect.place.slot
    syntax = files[suspect.span.path]
    home = home_of(syntax, suspect)
    refuse_other_files(syntax, suspect)
    if isinstance(home, cst.Module):
        refuse_strings(syntax, name, files)
    made = declaration(syntax, home, name)
    nodes = [node for node in variable_uses(syntax, home, name) if not syntax.holds(made, node)]
    function = _function(syntax, home, nodes, name)
    stores = [node for node in nodes if isinstance(syntax.parent(node), cst.AssignTarget | cst.AnnAssign)]
    declared = global_statements(syntax, function, name)
    replaced: dict[cst.CSTNode, Replacement] = without_declarations(syntax, declared, name)
    replaced[made] = REMOVE
    above: dict[Statement, Sequence[str]] = {}
    if declared:
        _refuse_what_is_left(syntax, function, stores, nodes, name)
    else:
        above[first_statement(syntax, function, nodes)] = [_emptied(syntax, function, made, nodes, name)]
    edits = list(syntax.rewrite(replaced, above))
    return [*edits, *imports.unused(syntax, edits)]


# --- where it is used --------------------------------------------------------------------------------------------


def home_of(syntax: Syntax, suspect: WriteSuspect) -> cst.Module | cst.FunctionDef:
    """What the variable belongs to."""
    if suspect.place.kind is PlaceKind.GLOBAL:
        return syntax.module
    outer = suspect.place.owner.rpartition(".")[2]
    for above in syntax.ancestors(syntax.node_at(suspect.span)):
        if isinstance(above, cst.FunctionDef) and above.name.value == outer:
            return above
    raise Refused(f"`{suspect.place.slot}` belongs to a function elsewhere")


def refuse_other_files(syntax: Syntax, suspect: WriteSuspect) -> None:
    """Raise Refused where the variable belongs to, or is used in, another file."""
    name = suspect.place.slot
    for use in suspect.uses:
        if use.span.path != syntax.path:
            raise Refused(f"`{name}` is used at {use.span.path}:{use.span.line} too")
    module = syntax.path.removesuffix(".py").removesuffix("/__init__").rpartition("/")[2]
    if suspect.place.kind is PlaceKind.GLOBAL and suspect.place.owner.rpartition(".")[2] != module:
        raise Refused(f"`{name}` is the name of another module")


def declaration(
    syntax: Syntax,
    home: cst.Module | cst.FunctionDef,
    name: str,
    fits: Callable[[cst.BaseExpression], bool] | None = None,
) -> cst.Assign | cst.AnnAssign:
    """The one statement, directly in the home's body, that gives the variable its first value: a plain one, or fit."""
    found: list[cst.Assign | cst.AnnAssign] = []
    for node in occurrences(syntax, home, name):
        statement = syntax.parent(node)
        statement = syntax.parent(statement) if isinstance(statement, cst.AssignTarget) else statement
        if function_of(syntax, node) is not (home if isinstance(home, cst.FunctionDef) else None):
            continue
        match statement:
            case cst.Assign(targets=[_]):
                found.append(statement)
            case cst.AnnAssign() if statement.target is node and statement.value is not None:
                found.append(statement)
    value = found[0].value if len(found) == 1 else None
    if value is None or not (fits(value) if fits is not None else is_plain(syntax, value)):
        raise Refused(f"`{name}` does not get one plain first value in {syntax.path}")
    return found[0]


def is_plain(syntax: Syntax, value: cst.BaseExpression | None) -> bool:
    """Whether a value is a constant, or a new collection that holds nothing."""
    if value is None:
        return False
    match value:
        case cst.Name(value="None" | "True" | "False") | cst.SimpleString() | cst.Integer() | cst.Float():
            return True
        case _:
            return EMPTY.fullmatch(syntax.code(value)) is not None


def variable_uses(syntax: Syntax, home: cst.Module | cst.FunctionDef, name: str) -> list[cst.Name]:
    """The occurrences that are the home's variable, `global` and `nonlocal` statements apart."""
    found = []
    for node in occurrences(syntax, home, name):
        if isinstance(syntax.parent(node), cst.NameItem | cst.Param):
            continue
        scope = function_of(syntax, node)
        while scope is not None and scope is not home and not is_bound_in(syntax, scope, name):
            scope = outer_function(syntax, scope)
        if scope is (home if isinstance(home, cst.FunctionDef) else None):
            found.append(node)
    return found


def _function(
    syntax: Syntax, home: cst.Module | cst.FunctionDef, nodes: Sequence[cst.Name], name: str
) -> cst.FunctionDef:
    """The one function right below the home that holds all uses."""
    functions = {}
    for node in nodes:
        scope, outer = function_of(syntax, node), None
        while scope is not None and scope is not home:
            scope, outer = outer_function(syntax, scope), scope
        if outer is None:
            raise Refused(f"`{name}` is also used at {syntax.site(node)}")
        functions[outer] = node
    if len(functions) != 1:
        raise Refused(f"`{name}` is used by more than one function: {syntax.site(nodes[-1])}")
    return next(iter(functions))


# --- what a call could find --------------------------------------------------------------------------------------


def _refuse_what_is_left(
    syntax: Syntax, function: cst.FunctionDef, stores: Sequence[cst.Name], nodes: Sequence[cst.Name], name: str
) -> None:
    """Every read must be behind a store of the same call."""
    reads = [node for node in nodes if node not in stores]
    if any(function_of(syntax, node) is not function for node in stores):
        raise Refused(f"`{name}` is stored in an inner function at {syntax.site(stores[-1])}")
    flow.refuse_what_is_left(syntax, function, stores, reads, name)


def _emptied(
    syntax: Syntax,
    function: cst.FunctionDef,
    made: cst.Assign | cst.AnnAssign,
    nodes: Sequence[cst.Name],
    name: str,
) -> str:
    """The line that makes the collection anew. Raises Refused where a call does not leave it empty."""
    assert made.value is not None  # it has a plain one
    for node in nodes:
        if is_kept(syntax, node):
            raise Refused(f"`{name}` is given away at {syntax.site(node)}")
    clears = [node for node in nodes if _clears(syntax, node) and _is_certain(syntax, function, node)]
    if not clears or (clears[0] is not nodes[0] and clears[-1] is not nodes[-1]):
        raise Refused(f"`{name}` keeps what a call of `{function.name.value}` puts in: {syntax.site(nodes[0])}")
    if isinstance(made, cst.AnnAssign):
        return f"{name}: {syntax.code(made.annotation.annotation)} = {syntax.code(made.value)}"
    return f"{name} = {syntax.code(made.value)}"


def _clears(syntax: Syntax, node: cst.Name) -> bool:
    """Whether the whole statement is `name.clear()`."""
    match syntax.parent(node):
        case cst.Attribute(attr=cst.Name(value="clear")) as method:
            call = syntax.parent(method)
            return isinstance(call, cst.Call) and not call.args and isinstance(syntax.parent(call), cst.Expr)
        case _:
            return False


def _is_certain(syntax: Syntax, function: cst.FunctionDef, node: cst.Name) -> bool:
    """Whether it runs in every call: in the body itself, or in a `finally`."""
    block = syntax.parent(syntax.statement(node))
    return block is function.body or isinstance(syntax.enclosing(node, cst.Finally), cst.Finally)


def first_statement(syntax: Syntax, function: cst.FunctionDef, nodes: Sequence[cst.CSTNode]) -> Statement:
    """The statement of the function's own block that holds the first of the nodes. Raises Refused."""
    for statement in (syntax.statement(nodes[0]), *syntax.ancestors(nodes[0])):
        if isinstance(statement, cst.SimpleStatementLine | cst.BaseCompoundStatement):
            if syntax.parent(statement) is function.body:
                return statement
    raise Refused(f"`{function.name.value}` is written on one line at {syntax.site(function)}")
