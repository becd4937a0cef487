"""An attribute of a shared object that one function alone sets and reads, to a variable of that function.

For functions that are no methods of the object's class: `desk.question = question`. Every use in the program but the
first value in `__init__` must be in the function, behind a store of the same call; else Refused.
"""

from __future__ import annotations

from collections.abc import Sequence

import libcst as cst

from leaklint.codemods import Refused, flow, offer
from leaklint.codemods.calls import superclasses
from leaklint.codemods.request_local import parameter_for
from leaklint.codemods.scope import free_name, function_of, names_in
from leaklint.codemods.uses import PLAIN_BASES
from leaklint.finding import Edit, Fix, Safety
from leaklint.project.suspect import Place, PlaceKind, Use
from leaklint.syntax import REMOVE, Files, Replacement, Syntax


def keep_in_one_function(place: Place, uses: Sequence[Use], files: Files) -> Fix:
    """Replace the attribute of `place` by a variable; `uses` is every occurrence of it in the program."""
    title = f"Make `{place.slot}` a variable of the function"
    return offer(title, Safety.SUGGESTED, lambda: _converted(place, uses, files))


def _converted(place: Place, uses: Sequence[Use], files: Files) -> list[Edit]:
    if place.kind is not PlaceKind.INSTANCE or place.library or not uses:
        raise Refused(f"where else `{place.slot}` is used is not known")
    for use in uses:
        if not use.covered:
            raise Refused(f"the object at {use.span.path}:{use.span.line} may be another one")
    refuse_libraries(place, files)
    inside: dict[cst.Attribute, Syntax] = {}
    first: list[tuple[Syntax, cst.CSTNode]] = []
    for use in uses:
        syntax = files[use.span.path]
        node = attribute(syntax, use, place.slot)
        if is_first_value(syntax, node, place):
            first.append((syntax, syntax.statement(node)))
        else:
            inside[node] = syntax
    functions = {function_of(there, node) for node, there in inside.items()}
    function = functions.pop() if len(functions) == 1 else None
    if function is None:
        sites = [there.site(node) for node, there in inside.items()]
        raise Refused(f"`{place.slot}` is used by more than one function: {', '.join(sites[-1:])}")
    syntax = next(iter(inside.values()))
    edits = [edit for there, statement in first for edit in there.rewrite({statement: REMOVE})]
    return [*edits, *syntax.rewrite(_replaced(syntax, function, list(inside), place.slot))]


def refuse_libraries(place: Place, files: Files) -> None:
    """Raise Refused for what a class of a library may read of objects of its subclasses: columns, fields, settings."""
    name = place.owner.rpartition(".")[2]
    if place.slot.startswith("_"):
        return
    for path, _ in files.with_word(f"class {name}"):
        syntax = files[path]
        for node in syntax.walk(syntax.module, cst.ClassDef):
            if node.name.value == name:
                if foreign := superclasses(node, files)[1] - PLAIN_BASES:
                    raise Refused(f"`{sorted(foreign)[0]}` may use `{place.slot}`: {syntax.site(node)}")
                if node.decorators:
                    raise Refused(f"`{place.slot}` may be a field that the class declares at {syntax.site(node)}")


def attribute(syntax: Syntax, use: Use, slot: str) -> cst.Attribute:
    """The attribute itself at a place that uses it. Raises Refused where that says its name in a string."""
    node = syntax.node_at(use.span)
    while isinstance(node, cst.Subscript) or (isinstance(node, cst.Attribute) and node.attr.value != slot):
        node = node.value
    if isinstance(node, cst.Attribute):
        return node
    raise Refused(f"`{slot}` is reached by its name at {syntax.site(node)}")


def is_first_value(syntax: Syntax, node: cst.Attribute, place: Place) -> bool:
    """Whether `__init__` of the class gives the attribute a constant there, and does nothing else in the statement."""
    function, owner = function_of(syntax, node), syntax.enclosing(node, cst.ClassDef)
    if function is None or function.name.value != "__init__" or owner is None:
        return False
    if owner.name.value != place.owner.rpartition(".")[2]:
        return False
    match syntax.statement(node):
        case cst.SimpleStatementLine(
            body=[cst.Assign(targets=[cst.AssignTarget(target=target)], value=value) | cst.AnnAssign(target, _, value)]
        ):
            plain = isinstance(value, cst.SimpleString | cst.Integer | cst.Float | cst.Name | cst.List | cst.Dict)
            return target is node and plain
        case _:
            return False


def _replaced(
    syntax: Syntax, function: cst.FunctionDef, nodes: Sequence[cst.Attribute], slot: str
) -> dict[cst.CSTNode, Replacement]:
    receivers = {syntax.code(node.value) for node in nodes}
    if len(receivers) != 1:
        raise Refused(f"`{slot}` may be of two objects at {syntax.site(nodes[-1])}")
    targets = {node: syntax.parent(node) for node in nodes}
    stores = [node for node, above in targets.items() if isinstance(above, cst.AssignTarget)]
    for node, above in targets.items():
        if isinstance(above, cst.AugAssign | cst.Del | cst.AnnAssign | cst.NamedExpr | cst.AsName):
            raise Refused(f"`{slot}` is not plainly set at {syntax.site(node)}")
    reads = [node for node in nodes if node not in stores]
    flow.refuse_what_is_left(syntax, function, stores, reads, slot)
    statements = [syntax.parent(above) for node, above in targets.items() if node in stores and above is not None]
    values = [statement.value for statement in statements if isinstance(statement, cst.Assign)]
    if len(stores) == 1 and (given := parameter_for(syntax, function, statements[0], values[0])):
        return {statements[0]: REMOVE, **dict.fromkeys(reads, given)}  # type: ignore[dict-item]
    name = free_name(slot, names_in(syntax, function))
    return dict.fromkeys(nodes, name)
