"""A database session that all requests use, to one that each request opens by the same factory and closes again.

Each handler opens its own, by `with` or by the program's own dependency that gives one; functions that it calls get it
as an argument. Refused where that cannot be seen to end in the same transactions, or where rows leave the session.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

import libcst as cst
from msgspec import Struct, field

from leaklint.codemods import Refused, dependency, imports, offer
from leaklint.codemods.blocks import wrapped
from leaklint.codemods.calls import last_name
from leaklint.codemods.handing import AtHand, HandedDown
from leaklint.codemods.names import refuse_strings
from leaklint.codemods.own_variable import first_statement, variable_uses
from leaklint.codemods.rows import refuse_rows_that_leave
from leaklint.codemods.scope import free_name, function_of, names_in, outer_function
from leaklint.finding import Edit, Fix, Safety
from leaklint.models import TypeModel
from leaklint.project.suspect import SharedUseSuspect
from leaklint.syntax import REMOVE, Files, Replacement, Syntax

_FACTORY_WORDS = re.compile(r"^(create|make|get|new|build)_(async_)?")


def open_for_each_request(suspect: SharedUseSuspect, files: Files, kind: TypeModel) -> Fix:
    """Open the session in each handler that uses it; `kind` is what the models say of its class."""
    title = f"Open `{suspect.name}` for each request"
    return offer(title, Safety.SUGGESTED, lambda: _converted(suspect, files, kind))


class _Made(Struct, frozen=True):
    """The statement that makes the one session, and how another is made."""

    syntax: Syntax
    home: cst.Module | cst.FunctionDef
    statement: cst.Assign | cst.AnnAssign
    name: str
    opening: str  # the expression, where the statement stands
    instead: str  # what takes the statement's place; empty for nothing


class _Use(Struct, frozen=True):
    """One occurrence: the name, or `module.name`."""

    syntax: Syntax
    node: cst.Name | cst.Attribute
    function: cst.FunctionDef


class _Handler(Struct):
    """A handler that is going to open a session, and where it or a call of its needs that."""

    syntax: Syntax
    nodes: list[cst.CSTNode] = field(default_factory=list)


def _converted(suspect: SharedUseSuspect, files: Files, kind: TypeModel) -> list[Edit]:
    made = _made(suspect, files, kind.unended)
    uses = list(_uses(made, files))
    if not uses:
        raise Refused(f"no use of `{made.name}` was found")
    handlers: dict[cst.FunctionDef, _Handler] = {}
    handed = HandedDown(files, suspect.passing, lambda syntax, node: at_hand(syntax, node))

    def at_hand(syntax: Syntax, node: cst.CSTNode) -> AtHand:
        function = _function(syntax, node, made)
        if handed.handler(syntax, function) is None:
            nothing = Refused(f"no request that could open one is known at {syntax.site(node)}")
            return handed.to(syntax, function, nothing, made.name)
        handlers.setdefault(function, _Handler(syntax)).nodes.append(node)
        return AtHand(made.name, made.name, "")

    for use in uses:
        at_hand(use.syntax, use.node)
    _refuse_other_ends(uses, handlers, handed, kind)
    awaited = any(_is_awaited(use) for use in uses)
    edits = [
        edit
        for function, handler in handlers.items()
        for edit in _opened(made, function, handler, handed, files, awaited)
    ]
    edits += [*handed.edits, *_renamed(made, uses)]
    return [*edits, *_without_the_old(made, uses, edits)]


# --- what there is -----------------------------------------------------------------------------------------------


def _made(suspect: SharedUseSuspect, files: Files, unended: str) -> _Made:
    syntax = files[suspect.span.path]
    call = syntax.node_at(suspect.span, cst.Call)
    statement = syntax.parent(call)
    match statement:
        case cst.Assign(targets=[cst.AssignTarget(target=cst.Name(value=name))], value=value) if value is call:
            pass
        case cst.AnnAssign(target=cst.Name(value=name), value=value) if value is call:
            pass
        case _:
            raise Refused(f"it is not kept under one name at {syntax.site(call)}")
    home = function_of(syntax, call) or syntax.module
    if syntax.parent(syntax.statement(statement)) not in (syntax.module, getattr(home, "body", None)):
        raise Refused(f"it is made on some paths only at {syntax.site(call)}")
    if isinstance(home, cst.Module):
        refuse_strings(syntax, name, files)
    opening, instead = _opening(syntax, call, names_in(syntax, syntax.module), unended)
    return _Made(syntax, home, statement, name, opening, instead)


def _opening(syntax: Syntax, call: cst.Call, taken: set[str], unended: str) -> tuple[str, str]:
    """The expression that opens another one, and the assignment that it needs: of a factory or engine made in place."""
    if unended and unended in re.sub(r"\s", "", syntax.code(call)):
        raise Refused(f"nothing says where its transactions end: {syntax.site(call)}")
    inner = [node for one in call.args for node in syntax.walk(one, cst.Call)]
    if isinstance(call.func, cst.Call):
        if call.args:
            raise Refused(f"the factory is made with more at {syntax.site(call)}")
        name = free_name("new_session", taken)
        return f"{name}()", f"{name} = {syntax.code(call.func)}"
    if not inner:
        return syntax.code(call), ""
    if len(call.args) != 1 or call.args[0].star or call.args[0].value is not inner[0]:
        raise Refused(f"what it is made with is made anew each time at {syntax.site(call)}")
    made = inner[0]
    callee = syntax.code(made.func).rpartition(".")[2]
    name = free_name(_FACTORY_WORDS.sub("", callee) or "bind", taken)
    keyword = f"{call.args[0].keyword.value}=" if call.args[0].keyword is not None else ""
    return f"{syntax.code(call.func)}({keyword}{name})", f"{name} = {syntax.code(made)}"


def _uses(made: _Made, files: Files) -> Iterator[_Use]:
    """Every occurrence but the one that makes it. Raises Refused for one that is not in a function, or sets it."""
    syntax = made.syntax
    nodes: list[tuple[Syntax, cst.Name | cst.Attribute]] = [
        (syntax, node) for node in variable_uses(syntax, made.home, made.name) if not syntax.holds(made.statement, node)
    ]
    if isinstance(made.home, cst.Module):
        nodes += [found for path in files if path != syntax.path for found in _elsewhere(made, files, path)]
    for there, node in nodes:
        function = function_of(there, node)
        if function is None or function is made.home:
            raise Refused(f"`{made.name}` is used when nothing is asked for yet at {there.site(node)}")
        if isinstance(there.parent(node), cst.AssignTarget | cst.AugAssign | cst.Del | cst.NamedExpr | cst.AsName):
            raise Refused(f"`{made.name}` is set anew at {there.site(node)}")
        yield _Use(there, node, function)


def _elsewhere(made: _Made, files: Files, path: str) -> Iterator[tuple[Syntax, cst.Name | cst.Attribute]]:
    if not re.search(rf"\b{re.escape(made.name)}\b", files.texts[path]):
        return
    syntax = files[path]
    for node in syntax.walk(syntax.module, cst.Attribute, cst.Name):
        match node:
            case cst.Attribute(attr=cst.Name(value=name)) if name == made.name and _is_it(syntax, node, made):
                yield syntax, node
            case cst.Name() if not isinstance(syntax.parent(node), cst.Attribute | cst.ImportAlias | cst.Param):
                if _is_it(syntax, node, made) and not _is_label(syntax, node):
                    yield syntax, node
            case cst.Name():
                above = syntax.parent(node)
                if isinstance(above, cst.Attribute) and above.value is node and _is_it(syntax, node, made):
                    yield syntax, node


def _is_label(syntax: Syntax, node: cst.Name) -> bool:
    above = syntax.parent(node)
    return isinstance(above, cst.Arg) and above.keyword is node


def _is_it(syntax: Syntax, node: cst.Name | cst.Attribute, made: _Made) -> bool:
    """Whether the imports of a file make a name or dotted name stand for the session."""
    text = syntax.code(node)
    full = imports.full_name(syntax, text)
    if full == text or not full.endswith(f".{made.name}"):
        return False
    module = full.removesuffix(f".{made.name}").lstrip(".")
    home = made.syntax.path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    return home == module or home.endswith(f".{module}") or not module


def _function(syntax: Syntax, node: cst.CSTNode, made: _Made) -> cst.FunctionDef:
    function = function_of(syntax, node)
    outer = outer_function(syntax, function) if function is not None else None
    if function is None or function is made.home:
        raise Refused(f"`{made.name}` is needed when nothing is asked for yet at {syntax.site(node)}")
    if outer is not None and outer is not made.home:
        raise Refused(f"a function inside of another one uses `{made.name}` at {syntax.site(node)}")
    if syntax.enclosing(node, cst.Lambda) is not None:
        raise Refused(f"a function without a name uses `{made.name}` at {syntax.site(node)}")
    if any(function_of(syntax, one) is function for one in syntax.walk(function, cst.Yield)):
        raise Refused(f"`{function.name.value}` may go on when the request is over: {syntax.site(function)}")
    return function


def _is_awaited(use: _Use) -> bool:
    for above in use.syntax.ancestors(use.node):
        if isinstance(above, cst.Await):
            return True
        if not isinstance(above, cst.Attribute | cst.Call):
            return False
    return False


# --- transactions ------------------------------------------------------------------------------------------------


def _refuse_other_ends(
    uses: Sequence[_Use], handlers: dict[cst.FunctionDef, _Handler], handed: HandedDown, kind: TypeModel
) -> None:
    """Every request that writes must end its own transaction: what another one ended is not seen by that any more."""
    leaves = frozenset(kind.leaves)
    writes = frozenset(kind.writes) - leaves
    own: dict[cst.FunctionDef, set[str]] = {}
    for use in uses:
        own.setdefault(use.function, set()).add(_method(use))
    helpers = {function.name.value: (syntax, function) for function, syntax in handed.homes.items()}
    for function, handler in handlers.items():
        said = _said(handler.syntax, function, own, helpers, set())
        if said <= leaves:
            raise Refused(f"`{function.name.value}` ends what another request began: {handler.syntax.site(function)}")
        if said & writes and said.isdisjoint(kind.ends):
            raise Refused(f"nothing that `{function.name.value}` writes is committed: {handler.syntax.site(function)}")


def _said(
    syntax: Syntax,
    function: cst.FunctionDef,
    own: dict[cst.FunctionDef, set[str]],
    helpers: dict[str, tuple[Syntax, cst.FunctionDef]],
    seen: set[str],
) -> set[str]:
    """The methods that a function, or what it hands the session to, calls on it."""
    found = set(own.get(function, ()))
    called = {last_name(node.func) for node in syntax.walk(function, cst.Call)}
    for name in sorted((called & helpers.keys()) - seen):
        seen.add(name)
        found |= _said(*helpers[name], own, helpers, seen)
    return found


def _method(use: _Use) -> str:
    above = use.syntax.parent(use.node)
    return above.attr.value if isinstance(above, cst.Attribute) else ""


# --- edits -------------------------------------------------------------------------------------------------------


def _opened(
    made: _Made, function: cst.FunctionDef, handler: _Handler, handed: HandedDown, files: Files, awaited: bool
) -> list[Edit]:
    """What makes a handler have a session of its own."""
    syntax = handler.syntax
    if awaited and function.asynchronous is None:
        raise Refused(f"`{function.name.value}` cannot wait for it: {syntax.site(function)}")
    given = dependency.asked_for(syntax, function, made.name, made.opening, files)
    if given and not handed.calls(syntax, function):
        return given
    if not isinstance(function.body, cst.IndentedBlock):
        raise Refused(f"`{function.name.value}` is written on one line at {syntax.site(function)}")
    refuse_rows_that_leave(syntax, function, made.name)
    opening, imported = _opening_in(made, syntax)
    nodes = sorted(handler.nodes, key=syntax.range)
    first = first_statement(syntax, function, nodes)
    last = syntax.statement(function.body.body[-1])
    head = f"{'async ' if awaited else ''}with {opening} as {made.name}:"
    return [*imported, *wrapped(syntax, first, last, head)]


def _opening_in(made: _Made, syntax: Syntax) -> tuple[str, list[Edit]]:
    """The expression that opens one in a file, and what it must import for that."""
    if syntax is made.syntax:
        return made.opening, []
    call = cst.parse_expression(made.opening)
    match call:
        case cst.Call(func=cst.Name(value=factory), args=[]) if not made.instead:
            pass
        case _:
            raise Refused(f"{syntax.path} cannot open one as {made.syntax.path} does")
    source = next(
        full.rpartition(".")[0]
        for text in (made.name, *_dotted(made, syntax))
        if (full := imports.full_name(syntax, text)) != text
    )
    here, edits = imports.member(syntax, source, factory, spare=(made.name,))
    return f"{here}()", edits


def _dotted(made: _Made, syntax: Syntax) -> Iterator[str]:
    for node in syntax.walk(syntax.module, cst.Attribute):
        if node.attr.value == made.name:
            yield syntax.code(node)


def _renamed(made: _Made, uses: Iterable[_Use]) -> list[Edit]:
    """`module.name` and names that the import gave it become the variable's or parameter's."""
    edits: list[Edit] = []
    for use in uses:
        if use.syntax.code(use.node) != made.name:
            if made.name in names_in(use.syntax, use.function):
                raise Refused(f"`{made.name}` means something else too at {use.syntax.site(use.function)}")
            edits += use.syntax.rewrite({use.node: made.name})
    return edits


def _without_the_old(made: _Made, uses: Iterable[_Use], edits: Sequence[Edit]) -> list[Edit]:
    """The statement and the imports that nobody needs any more go."""
    replaced: dict[cst.CSTNode, Replacement] = {made.statement: made.instead or REMOVE}
    gone = list(made.syntax.rewrite(replaced))
    own = [edit for edit in edits if edit.path == made.syntax.path]
    gone += imports.unused(made.syntax, [*own, *gone])
    for syntax in dict.fromkeys(use.syntax for use in uses):
        if syntax is not made.syntax:
            gone += imports.without(syntax, made.name, [edit for edit in edits if edit.path == syntax.path])
    return gone
