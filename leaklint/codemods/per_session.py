"""A collection that all requests share, to a dict with one such collection for each session, up to a limit.

Every function that uses it must be given the session's id; which parameter is one, the caller says. What would have no
id at hand is refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import libcst as cst

from leaklint.codemods import Refused, offer
from leaklint.codemods.names import refuse_strings
from leaklint.codemods.own_variable import declaration, first_statement, home_of, refuse_other_files, variable_uses
from leaklint.codemods.scope import function_of, parameters
from leaklint.codemods.uses import GROWING, init_of, slot_of
from leaklint.finding import Edit, Fix, Safety
from leaklint.project.suspect import PlaceKind, WriteSuspect
from leaklint.syntax import Files, Replacement, Statement, Syntax

_LIMIT = 1000  # sessions kept before the oldest one makes room
_EMPTY = re.compile(r"\[\]|\{\}|(list|dict|set|deque|collections\.deque)\(\)")
_LOOKS = frozenset({"len", "list", "sorted", "reversed", "tuple", "set", "dict", "sum", "any", "all", "max", "min"})
_LOOKS |= {"join", "enumerate", "str", "bool"}


def keep_one_a_session(suspect: WriteSuspect, files: Files, is_id: Callable[[str], bool]) -> Fix:
    """Keep one collection for each session under its id; `is_id` says whether a parameter of that name is one."""
    title = f"Keep one `{suspect.place.slot}` for each session"
    return offer(title, Safety.SUGGESTED, lambda: _converted(suspect, files, is_id))


@dataclass(frozen=True, slots=True)
class _Collection:
    """Where the collection is made, and every other place that says its name."""

    syntax: Syntax
    made: cst.Assign | cst.AnnAssign
    nodes: Sequence[cst.Name | cst.Attribute]


def _converted(suspect: WriteSuspect, files: Files, is_id: Callable[[str], bool]) -> list[Edit]:
    found = _in_class(suspect, files) if suspect.place.kind is PlaceKind.INSTANCE else _in_scope(suspect, files)
    syntax, made = found.syntax, found.made
    assert made.value is not None  # a new collection
    empty = syntax.code(made.value)
    replaced: dict[cst.CSTNode, Replacement] = {made.value: "{}"}
    if isinstance(made, cst.AnnAssign):
        kept = made.annotation.annotation
        replaced[kept] = f"dict[str, {syntax.code(kept)}]"
    above: dict[Statement, Sequence[str]] = {}
    crowded: set[cst.FunctionDef] = set()
    for node in found.nodes:
        function, key = _key(syntax, node, is_id)
        place, new, grows = _one(syntax, node, key, empty)
        replaced[place] = new
        if grows and function not in crowded:
            crowded.add(function)
            above[first_statement(syntax, function, [node])] = _room(syntax, node, key)
    return list(syntax.rewrite(replaced, above))


def _in_class(suspect: WriteSuspect, files: Files) -> _Collection:
    slot = slot_of(suspect.place, suspect.uses, files)
    init = init_of(slot.owner)
    inside = [site for site in slot.sites if site.method is init]
    made = inside[0].statement if len(inside) == 1 else None
    if not isinstance(made, cst.Assign | cst.AnnAssign) or slot.declaration is not None:
        raise Refused(f"`{slot.name}` is not made once in `__init__`")
    _refuse_other_value(slot.syntax, made, slot.name)
    nodes = [site.node for site in slot.sites if site.method is not init]
    attributes = [node for node in nodes if isinstance(node, cst.Attribute)]
    if len(attributes) < len(nodes):
        raise Refused(f"`{slot.name}` is reached by its name")
    return _Collection(slot.syntax, made, attributes)


def _in_scope(suspect: WriteSuspect, files: Files) -> _Collection:
    name, syntax = suspect.place.slot, files[suspect.span.path]
    home = home_of(syntax, suspect)
    refuse_other_files(syntax, suspect)
    if isinstance(home, cst.Module):
        refuse_strings(syntax, name, files)
    made = declaration(syntax, home, name)
    _refuse_other_value(syntax, made, name)
    nodes = [node for node in variable_uses(syntax, home, name) if not syntax.holds(made, node)]
    return _Collection(syntax, made, nodes)


def _refuse_other_value(syntax: Syntax, made: cst.Assign | cst.AnnAssign, name: str) -> None:
    if made.value is None or not _EMPTY.fullmatch(syntax.code(made.value)):
        raise Refused(f"`{name}` does not begin as an empty collection at {syntax.site(made)}")


def _key(syntax: Syntax, node: cst.CSTNode, is_id: Callable[[str], bool]) -> tuple[cst.FunctionDef, str]:
    """The function that gets the id of the session, and the parameter that it is."""
    function = function_of(syntax, node)
    while function is not None:
        for one in parameters(function):
            if is_id(one.name.value) and one.default is None and one.star == "" and not _is_optional(syntax, one):
                return function, one.name.value
        function = function_of(syntax, function)
    raise Refused(f"no id of the session is at hand at {syntax.site(node)}")


def _is_optional(syntax: Syntax, one: cst.Param) -> bool:
    return one.annotation is not None and re.search(r"None|Optional", syntax.code(one.annotation)) is not None


def _one(syntax: Syntax, node: cst.CSTNode, key: str, empty: str) -> tuple[cst.CSTNode, str, bool]:
    """What to replace at one place, by what, and whether that may be a session's first entry."""
    text = syntax.code(node)
    entry = f"{text}.setdefault({key}, {empty})"
    above = syntax.parent(node)
    match above:
        case cst.AssignTarget() | cst.AnnAssign() | cst.AugAssign() | cst.Del() | cst.NamedExpr() | cst.AsName():
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
        case cst.Arg() if _only_looks(syntax.parent(above)):
            return node, f"{text}.get({key}, {empty})", False
        case _:
            return node, entry, True


def _only_looks(call: cst.CSTNode | None) -> bool:
    match call:
        case cst.Call(func=cst.Name(value=name) | cst.Attribute(attr=cst.Name(value=name))):
            return name in _LOOKS
        case _:
            return False


def _room(syntax: Syntax, node: cst.CSTNode, key: str) -> list[str]:
    """The lines without which the dict would grow for ever."""
    text = syntax.code(node)
    return [
        f"if {key} not in {text} and len({text}) >= {_LIMIT}:",
        f"{syntax.module.default_indent}del {text}[next(iter({text}))]",
    ]
