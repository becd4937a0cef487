"""A collection or value that all requests share, to a dict with one for each session, up to a limit.

Every function that uses it must have, or be handed, the session's id; what would have none at hand is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import libcst as cst
from msgspec import Struct

from leaklint.codemods import Refused, imports, offer
from leaklint.codemods.names import global_statements, refuse_strings, without_declarations
from leaklint.codemods.own_variable import (
    EMPTY,
    declaration,
    first_statement,
    home_of,
    is_plain,
    refuse_other_files,
    variable_uses,
)
from leaklint.codemods.scope import free_name, function_of, names_in
from leaklint.codemods.session_key import SessionKeys
from leaklint.codemods.uses import GROWING, init_of, slot_of
from leaklint.finding import Edit, Fix, Safety
from leaklint.project.suspect import PlaceKind, WriteSuspect
from leaklint.syntax import Files, Replacement, Statement, Syntax

_LIMIT = 1000  # sessions kept before the oldest one makes room
_LOOKS = frozenset({"len", "list", "sorted", "reversed", "tuple", "set", "dict", "sum", "any", "all", "max", "min"})
_LOOKS |= {"join", "enumerate", "str", "bool"}
_TIGHT = (cst.Name, cst.Attribute, cst.Call, cst.Subscript, cst.SimpleString, cst.FormattedString, cst.Integer)


def keep_one_a_session(suspect: WriteSuspect, files: Files, is_id: Callable[[str], bool]) -> Fix:
    """Keep one for each session under its id; `is_id` says whether a parameter of that name is one."""
    title = f"Keep one `{suspect.place.slot}` for each session"
    return offer(title, Safety.SUGGESTED, lambda: _converted(suspect, files, is_id))


class Shared(Struct, frozen=True):
    """What is shared: where it is made, and every other place that says its name."""

    slot: str
    syntax: Syntax
    made: cst.Assign | cst.AnnAssign
    nodes: Sequence[cst.Name | cst.Attribute]
    first: str  # what it is in the beginning
    collection: bool  # whether that is a collection, which may be changed in place
    table: str  # the name of the dict, as the code reaches it
    kept: str = ""  # the name under which a collection is kept that does not begin empty


def _converted(suspect: WriteSuspect, files: Files, is_id: Callable[[str], bool]) -> list[Edit]:
    found = shared(suspect, files)
    syntax = found.syntax
    keys = SessionKeys(files, suspect.passing, is_id)
    replaced: dict[cst.CSTNode, Replacement] = {}
    above: dict[Statement, Sequence[str]] = {}
    crowded: set[cst.FunctionDef] = set()
    types: set[str] = set()
    for node in found.nodes:
        function, key = keys.at(syntax, node)
        types.add(keys.type_at(syntax, node))
        place, new, grows = _item(found, node, key) if found.collection else _value(found, node, key)
        replaced[place] = new
        if grows and function not in crowded:
            crowded.add(function)
            above[first_statement(syntax, function, [node])] = _room(syntax, found.table, key)
    if not crowded:
        raise Refused(f"`{suspect.place.slot}` is changed elsewhere")
    type_ = types.pop() if len(types) == 1 else ""
    replaced |= _undeclared(found)
    if found.kept:
        return [*keys.edits, *syntax.rewrite(replaced, above), *_made_beside(found, type_)]
    replaced |= _made(found, type_)
    edits = [*keys.edits, *syntax.rewrite(replaced, above)]
    return [*edits, *imports.unused(syntax, edits)]


# --- where it is -------------------------------------------------------------------------------------------------


def shared(suspect: WriteSuspect, files: Files) -> Shared:
    """What the suspect is about, all of it in one file. Raises Refused."""
    return _in_class(suspect, files) if suspect.place.kind is PlaceKind.INSTANCE else _in_scope(suspect, files)


def _in_class(suspect: WriteSuspect, files: Files) -> Shared:
    slot = slot_of(suspect.place, suspect.uses, files, counted=True)
    init = init_of(slot.owner)
    inside = [site for site in slot.sites if site.method is init]
    made = inside[0].statement if len(inside) == 1 else None
    if not isinstance(made, cst.Assign | cst.AnnAssign) or slot.declaration is not None:
        raise Refused(f"`{slot.name}` is not made once in `__init__`")
    nodes = [site.node for site in slot.sites if site.method is not init]
    attributes = [node for node in nodes if isinstance(node, cst.Attribute)]
    if len(attributes) < len(nodes):
        raise Refused(f"`{slot.name}` is reached by its name")
    taken = {node.attr.value for node in slot.syntax.walk(slot.owner, cst.Attribute)}
    return _shared(slot.syntax, made, attributes, slot.name, taken, "self.")


def _in_scope(suspect: WriteSuspect, files: Files) -> Shared:
    name, syntax = suspect.place.slot, files[suspect.span.path]
    home = home_of(syntax, suspect)
    refuse_other_files(syntax, suspect)
    if isinstance(home, cst.Module):
        refuse_strings(syntax, name, files)
    made = declaration(syntax, home, name, lambda value: is_first_value(syntax, value))
    nodes = [node for node in variable_uses(syntax, home, name) if not syntax.holds(made, node)]
    return _shared(syntax, made, nodes, name, names_in(syntax, syntax.module), "")


def _shared(
    syntax: Syntax,
    made: cst.Assign | cst.AnnAssign,
    nodes: Sequence[cst.Name | cst.Attribute],
    name: str,
    taken: set[str],
    prefix: str,
) -> Shared:
    if made.value is not None and not prefix and _is_written_out(syntax, made.value):
        copy, _ = imports.member(syntax, "copy", "deepcopy")
        kept = free_name(f"first_{name.strip('_')}", taken)
        return Shared(name, syntax, made, nodes, f"{copy}({kept})", True, name, kept)
    if made.value is None or not is_plain(syntax, made.value):
        raise Refused(f"`{name}` does not begin as a plain value at {syntax.site(made)}")
    first = syntax.code(made.value)
    collection = EMPTY.fullmatch(first) is not None
    if isinstance(made, cst.AnnAssign):
        target: cst.BaseExpression = made.target
    else:
        target = made.targets[0].target
    if isinstance(target, cst.Attribute):
        prefix = f"{syntax.code(target.value)}."
    return Shared(
        name, syntax, made, nodes, first, collection, prefix + (name if collection else _name_of_all(name, taken))
    )


def _name_of_all(name: str, taken: set[str]) -> str:
    for wanted in (f"{name}_by_session", f"{name}_by_id", f"all_{name.strip('_')}"):
        if wanted not in taken:
            return wanted
    raise Refused(f"there is no free name for all that `{name}` was")


def is_first_value(syntax: Syntax, value: cst.BaseExpression) -> bool:
    """Whether a value can be made anew for each session: a constant, or a collection of them."""
    return is_plain(syntax, value) or _is_written_out(syntax, value)


def _is_written_out(syntax: Syntax, value: cst.BaseExpression) -> bool:
    """Whether it is a list, dict or set of constants, and not empty."""
    if not isinstance(value, cst.List | cst.Dict | cst.Set) or not value.elements:
        return False
    expressions = [node for node in syntax.walk(value) if isinstance(node, cst.BaseExpression)]
    constants = (cst.SimpleString, cst.ConcatenatedString, cst.Integer, cst.Float, cst.List, cst.Dict, cst.Set)
    return all(isinstance(one, constants) or _is_name_of_constant(one) for one in expressions)


def _is_name_of_constant(node: cst.BaseExpression) -> bool:
    return isinstance(node, cst.Name) and node.value in {"None", "True", "False"}


def _made_beside(found: Shared, type_: str) -> list[Edit]:
    """The collection under another name, of which each session gets a copy, and the dict below it."""
    syntax, made = found.syntax, found.made
    target = made.target if isinstance(made, cst.AnnAssign) else made.targets[0].target
    statement = syntax.statement(made)
    typed = ""
    if isinstance(made, cst.AnnAssign):
        typed = f": dict[{type_ or 'object'}, {syntax.code(made.annotation.annotation)}]"
    line = f"{syntax.indent(statement)}{found.table}{typed} = {{}}{syntax.newline}"
    _, imported = imports.member(syntax, "copy", "deepcopy")
    return [*imported, *syntax.rewrite({target: found.kept}), syntax.insert(syntax.whole(statement)[1], line)]


def _made(found: Shared, type_: str) -> dict[cst.CSTNode, Replacement]:
    """The dict, made where the one of all was made."""
    made = found.made
    assert made.value is not None  # a plain one
    replaced: dict[cst.CSTNode, Replacement] = {made.value: "{}"}
    target = made.target if isinstance(made, cst.AnnAssign) else made.targets[0].target
    if found.syntax.code(target) != found.table:
        replaced[target] = found.table
    if isinstance(made, cst.AnnAssign):
        kept = made.annotation.annotation
        replaced[kept] = f"dict[{type_ or 'object'}, {found.syntax.code(kept)}]"
    return replaced


def _undeclared(found: Shared) -> dict[cst.CSTNode, Replacement]:
    """`global` and `nonlocal` statements without the name: an item is stored without them."""
    replaced: dict[cst.CSTNode, Replacement] = {}
    for node in found.nodes:
        function = function_of(found.syntax, node)
        if isinstance(node, cst.Name) and function is not None:
            statements = global_statements(found.syntax, function, node.value)
            replaced |= without_declarations(found.syntax, statements, node.value)
    return replaced


# --- what one place becomes --------------------------------------------------------------------------------------


def _item(found: Shared, node: cst.CSTNode, key: str) -> tuple[cst.CSTNode, str, bool]:
    """What to replace where a collection is used, by what, and whether that may be a session's first entry."""
    syntax, text, empty = found.syntax, found.syntax.code(node), found.first
    entry = f"{text}.setdefault({key}, {empty})"
    above = syntax.parent(node)
    match above:
        case cst.AssignTarget() if _is_alone(syntax, above):
            return node, f"{text}[{key}]", True
        case cst.AugAssign() if above.target is node:
            return node, f"{text}[{key}]", True
        case cst.AssignTarget() | cst.AnnAssign() | cst.Del() | cst.NamedExpr() | cst.AsName():
            raise Refused(f"it is set anew at {syntax.site(node)}")
        case cst.Attribute(attr=cst.Name(value=method)) if above.value is node:
            call = syntax.parent(above)
            if method == "clear" and isinstance(call, cst.Call) and isinstance(syntax.parent(call), cst.Expr):
                return call, f"{text}.pop({key}, None)", False
            return (node, entry, True) if method in GROWING else (node, f"{text}.get({key}, {empty})", False)
        case cst.Subscript():
            stored = isinstance(syntax.parent(above), cst.AssignTarget | cst.AugAssign)
            return (node, entry, True) if stored else (node, f"{text}.get({key}, {empty})", False)
        case cst.For() | cst.CompFor() | cst.ComparisonTarget() | cst.Comparison() | cst.If() | cst.UnaryOperation():
            return node, f"{text}.get({key}, {empty})", False
        case cst.Arg() if only_looks(syntax.parent(above)):
            return node, f"{text}.get({key}, {empty})", False
        case _:
            return node, entry, True


def _is_alone(syntax: Syntax, target: cst.AssignTarget) -> bool:
    statement = syntax.parent(target)
    return isinstance(statement, cst.Assign) and len(statement.targets) == 1


def only_looks(call: cst.CSTNode | None) -> bool:
    """Whether what is called leaves a collection as it is, and keeps nothing of it."""
    match call:
        case cst.Call(func=cst.Name(value=name) | cst.Attribute(attr=cst.Name(value=name))):
            return name in _LOOKS
        case _:
            return False


def _value(found: Shared, node: cst.CSTNode, key: str) -> tuple[cst.CSTNode, str, bool]:
    """The same where a value is used."""
    syntax, table = found.syntax, found.table
    now = f"{table}.get({key})" if found.first == "None" else f"{table}.get({key}, {found.first})"
    above = syntax.parent(node)
    match above:
        case cst.AssignTarget() | cst.AsName():
            return node, f"{table}[{key}]", True
        case cst.AnnAssign() | cst.For() if above.target is node:
            return node, f"{table}[{key}]", True
        case cst.AugAssign() if above.target is node:
            value = syntax.text[slice(*syntax.whole(above.value))]
            value = value if isinstance(above.value, _TIGHT) else f"({value})"
            return above, f"{table}[{key}] = {now} {syntax.code(above.operator).strip()[:-1]} {value}", True
        case cst.Del():
            return above, f"{table}.pop({key}, None)", False
        case cst.NamedExpr() | cst.CompFor() if above.target is node:
            raise Refused(f"it is set within an expression at {syntax.site(node)}")
        case cst.Element() | cst.StarredElement() if _is_unpacked(syntax, above):
            return node, f"{table}[{key}]", True
        case _:
            return node, now, False


def _is_unpacked(syntax: Syntax, element: cst.CSTNode) -> bool:
    """Whether an element of a tuple or list is one of the targets of an assignment or a loop."""
    inner = element
    for above in syntax.ancestors(element):
        match above:
            case cst.Element() | cst.StarredElement() | cst.Tuple() | cst.List():
                inner = above
            case cst.AssignTarget():
                return True
            case cst.For():
                return above.target is inner
            case _:
                return False
    return False


def _room(syntax: Syntax, table: str, key: str) -> list[str]:
    """The lines without which the dict would grow for ever."""
    return [
        f"if {key} not in {table} and len({table}) >= {_LIMIT}:",
        f"{syntax.module.default_indent}del {table}[next(iter({table}))]",
    ]
