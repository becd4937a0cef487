"""An attribute or module-level name that one function sets, to a variable of it that all who read it are handed.

They may be functions and methods of other modules: each gets one more parameter, and so do those on the way. Refused
where somebody may read it who is not called by the function that sets it, or before it is set.
"""

from __future__ import annotations

from collections.abc import Sequence

import libcst as cst
from msgspec import Struct

from leaklint.codemods import Refused, flow, imports, offer
from leaklint.codemods.attribute_local import attribute, is_first_value, refuse_libraries
from leaklint.codemods.handing import AtHand, HandedDown, functions_around
from leaklint.codemods.name_to_contextvar import the_declaration
from leaklint.codemods.names import global_statements, refuse_other_meanings, refuse_strings, without_declarations
from leaklint.codemods.request_local import parameter_for
from leaklint.codemods.scope import free_name, function_of, names_in, outer_function, parameters
from leaklint.finding import Edit, Fix, Safety
from leaklint.project.suspect import PlaceKind, WriteSuspect
from leaklint.syntax import REMOVE, Files, Replacement, Syntax

_FAR = 12  # files with calls on the way: more of them make no diff that anybody reads
_PLAIN_TYPES = frozenset({"str", "int", "float", "bool", "bytes"})

_Node = cst.Name | cst.Attribute


def hand_it_down(suspect: WriteSuspect, files: Files) -> Fix:
    """Pass the value on as an argument instead of leaving it in `suspect.place`."""
    title = f"Hand `{suspect.place.slot}` down as an argument"
    return offer(title, Safety.SUGGESTED, lambda: _converted(suspect, files))


class _Seen(Struct, frozen=True):
    """Every occurrence of it in the program."""

    first: tuple[tuple[Syntax, cst.CSTNode], ...]  # the statements that give the first value: they go
    sites: tuple[tuple[Syntax, _Node], ...]


def _converted(suspect: WriteSuspect, files: Files) -> list[Edit]:
    slot = suspect.place.slot
    far = len({call.span.path for call in suspect.passing.calls})
    if far > _FAR:
        raise Refused(f"`{slot}` would have to be handed down through {far} files")
    seen = _of_a_module(suspect, files) if suspect.place.kind is PlaceKind.GLOBAL else _of_objects(suspect, files)
    writer, stores = _writer(seen, slot)
    syntax = next(there for there, node in seen.sites if node in stores)
    kept = _is_given(syntax, writer, stores)
    taken = {
        name
        for there, node in seen.sites
        for around in functions_around(there, node)
        for name in names_in(there, around)
    }
    taken |= _names_on_the_way(suspect, files)
    name = kept or free_name(slot, taken - ({slot} if suspect.place.kind is PlaceKind.GLOBAL else set()))
    reads: list[cst.CSTNode] = []

    def source(there: Syntax, node: cst.CSTNode) -> AtHand:
        around = functions_around(there, node)
        if writer in around:
            reads.append(node)
            return AtHand(name, name, _type(syntax, writer, name))
        if not around:
            raise Refused(f"`{slot}` is read when no request runs at {there.site(node)}")
        nothing = Refused(f"`{slot}` is read at {there.site(node)} by what the function that sets it does not call")
        return handed.to(there, around[-1], nothing, name)

    handed = HandedDown(files, suspect.passing, source)
    for there, node in seen.sites:
        if node not in stores:
            source(there, node)
    if not reads:
        raise Refused(f"nothing in the program reads `{slot}`: {syntax.site(stores[0])}")
    if early := flow.unassigned(syntax, writer, stores, reads):
        raise Refused(f"`{writer.name.value}` may read what an earlier call left in `{slot}`: {syntax.site(early[0])}")
    return [*handed.edits, *_rewritten(seen, stores, name, slot, drop=bool(kept))]


# --- what there is -----------------------------------------------------------------------------------------------


def _of_objects(suspect: WriteSuspect, files: Files) -> _Seen:
    place = suspect.place
    if place.kind is not PlaceKind.INSTANCE or place.library or place.path or not suspect.uses:
        raise Refused(f"where else `{place.slot or place.text}` is used is not known")
    refuse_libraries(place, files)
    first: list[tuple[Syntax, cst.CSTNode]] = []
    sites: list[tuple[Syntax, _Node]] = []
    for use in suspect.uses:
        if not use.covered:
            raise Refused(f"the object at {use.span.path}:{use.span.line} may be another one")
        syntax = files[use.span.path]
        node = attribute(syntax, use, place.slot)
        if is_first_value(syntax, node, place):
            first.append((syntax, syntax.statement(node)))
        else:
            sites.append((syntax, node))
    return _Seen(tuple(first), tuple(sites))


def _of_a_module(suspect: WriteSuspect, files: Files) -> _Seen:
    name = suspect.place.slot
    home, declaration = the_declaration(suspect, files)
    sites: list[tuple[Syntax, _Node]] = []
    for use in suspect.uses:
        syntax = files[use.span.path]
        node = syntax.node_at(use.span)
        if syntax is home and syntax.holds(declaration, node):
            continue
        if not isinstance(node, _Node) or (isinstance(node, cst.Name) and syntax is not home):
            raise Refused(f"`{name}` is reached in another way at {syntax.site(node)}")
        sites.append((syntax, node))
    refuse_other_meanings(home, name, {declaration, *(node for _, node in sites)})
    refuse_strings(home, name, files)
    return _Seen(((home, declaration),), tuple(sites))


def _writer(seen: _Seen, slot: str) -> tuple[cst.FunctionDef, list[cst.CSTNode]]:
    """The one function that sets it, and where."""
    stores: list[cst.CSTNode] = []
    writers: dict[cst.FunctionDef, None] = {}
    for syntax, node in seen.sites:
        if not _is_stored(syntax, node):
            continue
        function = function_of(syntax, node)
        if function is None or outer_function(syntax, function) is not None:
            raise Refused(f"`{slot}` is set by no plain function at {syntax.site(node)}")
        stores.append(node)
        writers[function] = None
    if len(writers) != 1:
        raise Refused(f"`{slot}` is set by {len(writers) or 'no'} functions")
    return next(iter(writers)), stores


def _is_stored(syntax: Syntax, node: _Node) -> bool:
    match syntax.parent(node):
        case cst.AssignTarget() as target:
            statement = syntax.parent(target)
            if isinstance(statement, cst.Assign) and len(statement.targets) == 1:
                return True
        case cst.AnnAssign(target=target) as statement if target is node and statement.value is not None:
            return True
        case cst.AugAssign() | cst.AnnAssign() | cst.Del() | cst.NamedExpr() | cst.AsName() | cst.Element():
            pass
        case cst.For() | cst.CompFor() as loop if loop.target is node:
            pass
        case _:
            return False
    raise Refused(f"it is not plainly set at {syntax.site(node)}")


def _is_given(syntax: Syntax, writer: cst.FunctionDef, stores: Sequence[cst.CSTNode]) -> str:
    """The parameter that is all that is ever stored, if there is one."""
    if len(stores) != 1:
        return ""
    statement = syntax.parent(stores[0])
    statement = syntax.parent(statement) if isinstance(statement, cst.AssignTarget) else statement
    return parameter_for(syntax, writer, statement, statement.value if isinstance(statement, cst.Assign) else None)


def _names_on_the_way(suspect: WriteSuspect, files: Files) -> set[str]:
    """The names in all functions that may get the parameter."""
    found: set[str] = set()
    for call in suspect.passing.calls:
        syntax = files[call.span.path]
        for around in functions_around(syntax, syntax.node_at(call.span, cst.Call)):
            found |= names_in(syntax, around)
    return found


def _type(syntax: Syntax, writer: cst.FunctionDef, name: str) -> str:
    """The type of the parameter that holds it, where that needs no import."""
    for one in parameters(writer):
        if one.name.value == name and one.annotation is not None:
            written = syntax.code(one.annotation.annotation)
            return written if written in _PLAIN_TYPES else ""
    return ""


# --- edits -------------------------------------------------------------------------------------------------------


def _rewritten(seen: _Seen, stores: Sequence[cst.CSTNode], name: str, slot: str, *, drop: bool) -> list[Edit]:
    edits: list[Edit] = []
    files = dict.fromkeys(syntax for syntax, _ in (*seen.sites, *seen.first))
    for syntax in files:
        replaced: dict[cst.CSTNode, Replacement] = {node: REMOVE for there, node in seen.first if there is syntax}
        for there, node in seen.sites:
            if there is not syntax:
                continue
            function = function_of(syntax, node)
            if isinstance(node, cst.Name) and function is not None:
                replaced |= without_declarations(syntax, global_statements(syntax, function, slot), slot)
            if drop and node in stores:
                replaced[syntax.statement(node)] = REMOVE
            else:
                replaced[node] = name
        own = list(syntax.rewrite(replaced))
        edits += [*own, *imports.unused(syntax, own)]
    return edits
