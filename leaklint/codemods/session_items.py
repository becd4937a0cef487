"""What requests share, to an item of what the framework itself keeps for each session, made anew where it is missing.

A module-level name, or an attribute of the one object of its class. Everywhere it is used a request of that framework
must be running: in functions that its requests call, and in the body of a module that is run for each of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import libcst as cst
from msgspec import Struct

from leaklint.codemods import Refused, flow, imports, offer
from leaklint.codemods.calls import last_name
from leaklint.codemods.in_home import member_of, name_there, reached, refuse_taken, refuse_threads
from leaklint.codemods.names import global_statements, refuse_other_meanings, refuse_strings, without_declarations
from leaklint.codemods.own_variable import declaration, first_statement
from leaklint.codemods.per_session import is_first_value
from leaklint.codemods.scope import function_of, method_of, methods, parameters
from leaklint.codemods.session_component import is_stored
from leaklint.finding import Edit, Fix, Safety
from leaklint.models import HomeModel
from leaklint.project.suspect import PlaceKind, Use, WriteSuspect
from leaklint.syntax import REMOVE, Files, Replacement, Statement, Syntax

_VALUE = " = {value}"


def keep_in_session(suspect: WriteSuspect, files: Files) -> Fix:
    """Keep it for the session; there is no reason to tell where the framework has no such place."""
    home = next((one for one in suspect.passing.homes if one.scope == "session" and one.reads and one.sets), None)
    if home is None:
        return Fix("", Safety.SUGGESTED)
    title = f"Keep `{suspect.place.slot}` in {home.use}"
    return offer(title, Safety.SUGGESTED, lambda: _converted(suspect, files, home))


class _Site(Struct, frozen=True):
    """One use, and the function that runs it; None for the body of a module that is run for each session."""

    syntax: Syntax
    node: cst.Name | cst.Attribute
    function: cst.FunctionDef | None


class _Kept(Struct, frozen=True):
    """What it becomes, as one file writes it."""

    item: str  # the expression that it is
    sets: tuple[str, str]  # a statement that keeps a value: what stands before that, and behind
    guard: tuple[str, str]  # what says whether it is missing, and the statement that makes it


def _converted(suspect: WriteSuspect, files: Files, home: HomeModel) -> list[Edit]:
    slot = suspect.place.slot
    syntax, made = _made(suspect, files)
    assert made.value is not None  # a plain one
    sites = [_site(suspect, files, use) for use in suspect.uses if not _is_in(files, use, syntax, made)]
    for site in sites:
        if isinstance(site.node, cst.Name) and site.syntax is not syntax:
            raise Refused(f"it is imported by its own name at {site.syntax.site(site.node)}")
    if suspect.place.kind is PlaceKind.GLOBAL:
        refuse_other_meanings(syntax, slot, {made, *(site.node for site in sites)})
        refuse_strings(syntax, slot, files)
    name = name_there(suspect, files)
    refuse_taken(home, name, files)
    refuse_threads(suspect, {site.function: site.syntax for site in sites if site.function is not None}, files)
    edits = list(syntax.rewrite({made: REMOVE}))
    for there in dict.fromkeys(site.syntax for site in sites):
        own = [site for site in sites if site.syntax is there]
        kept, imported = _kept(there, home, name, syntax.code(made.value))
        edits += [*imported, *_rewritten(there, own, kept, slot)]
    for there in dict.fromkeys([syntax, *(site.syntax for site in sites)]):
        edits += imports.unused(there, [edit for edit in edits if edit.path == there.path])
    return edits


# --- where it is -------------------------------------------------------------------------------------------------


def _made(suspect: WriteSuspect, files: Files) -> tuple[Syntax, cst.Assign | cst.AnnAssign]:
    """The statement that gives it its first value. Raises Refused."""
    place = suspect.place
    match place.kind:
        case PlaceKind.GLOBAL:
            wanted = f"{place.owner}.<module>"
        case PlaceKind.INSTANCE:
            wanted = f"{place.owner}.__init__"
        case _:
            raise Refused(f"`{place.slot}` is no name of a module and no attribute")
    found = [use for use in suspect.uses if use.function == wanted and use.access.value == "store"]
    if len(found) != 1 or place.library:
        raise Refused(f"`{place.slot}` does not get one plain first value")
    syntax = files[found[0].span.path]
    if place.kind is PlaceKind.GLOBAL:
        return syntax, declaration(syntax, syntax.module, place.slot, lambda value: is_first_value(syntax, value))
    node = _node(syntax, found[0])
    statement = syntax.parent(node)
    statement = syntax.parent(statement) if isinstance(statement, cst.AssignTarget) else statement
    match statement:
        case cst.Assign(targets=[_], value=value) | cst.AnnAssign(value=value) if value is not None:
            if is_first_value(syntax, value):
                _refuse_several(syntax, node, files)
                return syntax, statement
    raise Refused(f"`{place.slot}` does not get one plain first value at {syntax.site(node)}")


def _refuse_several(syntax: Syntax, node: cst.CSTNode, files: Files) -> None:
    """Raise Refused unless there is one object of the class around a node: those of a session would be one then."""
    owner = syntax.enclosing(node, cst.ClassDef)
    if owner is None or owner.bases or method_of(syntax, owner, node) not in set(methods(owner)):
        raise Refused(f"there may be several such objects: {syntax.site(node)}")
    made = [
        (there, call)
        for path, _ in files.with_word(owner.name.value)
        for there in (files[path],)
        for call in there.walk(there.module, cst.Call)
        if last_name(call.func) == owner.name.value
    ]
    maker = function_of(*made[0]) if len(made) == 1 else None
    if len(made) != 1 or (maker is not None and parameters(maker)):
        raise Refused(f"there may be several objects of `{owner.name.value}`: {syntax.site(owner)}")


def _is_in(files: Files, use: Use, syntax: Syntax, made: cst.CSTNode) -> bool:
    return use.span.path == syntax.path and syntax.holds(made, _node(files[use.span.path], use))


def _node(syntax: Syntax, use: Use) -> cst.CSTNode:
    node = syntax.node_at(use.span)
    while isinstance(node, cst.Subscript):
        node = node.value
    return node


def _site(suspect: WriteSuspect, files: Files, use: Use) -> _Site:
    syntax = files[use.span.path]
    node = _node(syntax, use)
    slot, site = suspect.place.slot, syntax.site(node)
    if not use.covered or not isinstance(node, cst.Name | cst.Attribute) or last_name(node) != slot:
        raise Refused(f"`{slot}` is reached in another way at {site}")
    if isinstance(syntax.parent(node), cst.Del):
        raise Refused(f"it is deleted at {site}")
    function = function_of(syntax, node)
    pages = {one.head.path for one in suspect.passing.handlers if one.head.line == one.head.end_column == 1}
    if function is None and (syntax.path not in pages or syntax.enclosing(node, cst.ClassDef) is not None):
        raise Refused(f"`{slot}` is used when the module is loaded at {site}")
    return _Site(syntax, node, function)


# --- what it becomes ---------------------------------------------------------------------------------------------


def _kept(syntax: Syntax, home: HomeModel, name: str, first: str) -> tuple[_Kept, list[Edit]]:
    member = member_of(home.reads)
    prefix, edits = reached(syntax, home.reads.partition(".")[0], member, home.called)
    full = f"{home.reads.partition('.')[0]}.{member}"

    def said(template: str) -> str:
        return template.replace(full, prefix).replace("{name}", name).replace("{default}", "")

    reads, sets = said(home.reads), said(home.sets)
    missing = said(home.missing) if home.missing else f"{reads} is None"
    item = sets.removesuffix(_VALUE) if sets.endswith(_VALUE) else reads
    before, _, behind = sets.partition("{value}")
    return _Kept(item, (before, behind), (missing, sets.replace("{value}", first))), edits


def _rewritten(syntax: Syntax, sites: Sequence[_Site], kept: _Kept, slot: str) -> list[Edit]:
    edits: list[Edit] = []
    replaced: dict[cst.CSTNode, Replacement] = {}
    above: dict[Statement, Sequence[str]] = {}
    for function in dict.fromkeys(site.function for site in sites):
        nodes: list[cst.CSTNode] = [site.node for site in sites if site.function is function]
        if function is not None:
            replaced |= without_declarations(syntax, global_statements(syntax, function, slot), slot)
        if _needs_guard(syntax, function, nodes):
            missing, makes = kept.guard
            above[_first(syntax, function, nodes)] = [f"if {missing}:", f"{syntax.module.default_indent}{makes}"]
    for site in sites:
        if kept.sets[0].startswith(kept.item) or not is_stored(syntax, site.node):
            replaced[site.node] = kept.item
        else:
            edits += _set(syntax, site.node, *kept.sets)
    return [*edits, *syntax.rewrite(replaced, above)]


def _needs_guard(syntax: Syntax, function: cst.FunctionDef | None, nodes: Iterable[cst.CSTNode]) -> bool:
    """Whether the value may be needed there before it is set."""
    stores = [node for node in nodes if isinstance(syntax.parent(node), cst.AssignTarget)]
    reads = [node for node in nodes if node not in stores]
    return bool(reads) and (function is None or bool(flow.unassigned(syntax, function, stores, reads)))


def _first(syntax: Syntax, function: cst.FunctionDef | None, nodes: Sequence[cst.CSTNode]) -> Statement:
    """The statement of the function's, or the module's, own block that holds the first of the nodes."""
    ordered = sorted(nodes, key=syntax.range)
    if function is not None:
        return first_statement(syntax, function, ordered)
    inner: cst.CSTNode = syntax.statement(ordered[0])
    for node in syntax.ancestors(ordered[0]):
        if isinstance(node, cst.Module):
            break
        inner = node
    return syntax.statement(inner)


def _set(syntax: Syntax, node: cst.CSTNode, before: str, behind: str) -> list[Edit]:
    """A plain statement that binds it, as a call that keeps the value."""
    target = syntax.parent(node)
    statement = syntax.parent(target) if target is not None else None
    if not isinstance(statement, cst.Assign) or len(statement.targets) != 1 or target is not statement.targets[0]:
        raise Refused(f"it is not plainly set at {syntax.site(node)}")
    start, (end, last) = syntax.range(statement)[0], syntax.whole(statement.value)
    bare = isinstance(statement.value, cst.Tuple) and not statement.value.lpar
    head, tail = (f"{before}(", f"){behind}") if bare else (before, behind)
    return [Edit(syntax.path, start, end, syntax.text[start:end], head), syntax.insert(last, tail)]
