"""A module-level name that requests bind, to a ContextVar which each request sets for itself.

Every occurrence in the program must be a plain read or store in a function; what is read by others than the request
that sets it, and modules that import the name itself, are refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence, Set

import libcst as cst
from msgspec import Struct

from leaklint.codemods import Refused, flow, imports, offer
from leaklint.codemods.handing import functions_around
from leaklint.codemods.names import global_statements, refuse_other_meanings, refuse_strings, without_declarations
from leaklint.codemods.scope import free_name, function_of, names_in
from leaklint.finding import Edit, Fix, Safety
from leaklint.project.suspect import Use, WriteSuspect
from leaklint.syntax import Files, Replacement, Syntax

_TEXT = (cst.SimpleString, cst.FormattedString, cst.ConcatenatedString)
_CONSTANT = (cst.SimpleString, cst.Integer, cst.Float)


def to_contextvar(suspect: WriteSuspect, files: Files) -> Fix:
    """Replace the name by a ContextVar: one object, made where the name was, with the old first value as its default.

    The entry point that binds the name sets it back when it is done, unless it runs in a context of its own anyway.
    """
    title = f"Keep `{suspect.place.slot}` in a ContextVar"
    return offer(title, Safety.SUGGESTED, lambda: _converted(suspect, files))


class Site(Struct, frozen=True):
    """One occurrence: the name, or `module.name`."""

    syntax: Syntax
    node: cst.Name | cst.Attribute
    function: cst.FunctionDef
    store: cst.Assign | cst.AnnAssign | None


def _converted(suspect: WriteSuspect, files: Files) -> list[Edit]:
    name = suspect.place.slot
    if suspect.apart is not None:
        where = f"{suspect.apart.span.path}:{suspect.apart.span.line}"
        raise Refused(f"`{name}` is used at {where} by what does not set it: another request, or start-up")
    syntax, declaration = the_declaration(suspect, files)
    sites = [site for use in suspect.uses for site in sites_of(files, use, declaration)]
    refuse_other_meanings(syntax, name, {declaration, *(site.node for site in sites)})
    refuse_strings(syntax, name, files)
    refuse_what_is_left(suspect, sites)
    call, imported = imports.member(syntax, "contextvars", "ContextVar")
    edits = [*imported, *_declared(syntax, declaration, name, call)]
    for path in dict.fromkeys(site.syntax.path for site in sites):
        here = [site for site in sites if site.syntax.path == path]
        edits += _rewritten(files[path], suspect, here, name)
    _refuse_readers_behind(suspect, files, sites)
    return edits


# --- what there is -----------------------------------------------------------------------------------------------


def the_declaration(suspect: WriteSuspect, files: Files) -> tuple[Syntax, cst.Assign | cst.AnnAssign]:
    """The one statement of the module that gives the name its first value, a constant. Raises Refused."""
    name = suspect.place.slot
    found: list[tuple[Syntax, cst.Assign | cst.AnnAssign]] = []
    for path in dict.fromkeys(use.span.path for use in suspect.uses):
        syntax = files[path]
        for line in syntax.module.body:
            for small in line.body if isinstance(line, cst.SimpleStatementLine) else ():
                match small:
                    case (
                        cst.Assign(targets=[cst.AssignTarget(target=cst.Name(value=bound))])
                        | cst.AnnAssign(target=cst.Name(value=bound))
                    ) if bound == name:
                        found.append((syntax, small))
    if len(found) != 1:
        raise Refused(f"`{name}` is not set once at module level")
    syntax, statement = found[0]
    if not _is_constant(statement.value):
        raise Refused(f"the first value of `{name}` is no constant at {syntax.site(statement)}")
    return syntax, statement


def _is_constant(value: cst.BaseExpression | None) -> bool:
    match value:
        case cst.Name(value="None" | "True" | "False") | cst.UnaryOperation(expression=cst.Integer() | cst.Float()):
            return True
        case cst.Tuple(elements=[]):
            return True
        case _:
            return isinstance(value, _CONSTANT)


def sites_of(files: Files, use: Use, declaration: cst.CSTNode) -> Iterator[Site]:
    """The occurrence at a use that is not in the declaration. Raises Refused for one that is no plain read or store."""
    syntax = files[use.span.path]
    node = syntax.node_at(use.span)
    if syntax.holds(declaration, node):
        return
    function = function_of(syntax, node)
    if not isinstance(node, cst.Name | cst.Attribute):
        raise Refused(f"it is reached by its name at {syntax.site(node)}")
    if function is None:
        raise Refused(f"it is used when the module is loaded at {syntax.site(node)}")
    if isinstance(node, cst.Name) and not _is_in(syntax, declaration):
        raise Refused(f"it is imported by its own name at {syntax.site(node)}")
    if _yields(syntax, function):
        raise Refused(f"the steps of a generator may have contexts of their own at {syntax.site(node)}")
    yield Site(syntax, node, function, _store(syntax, node))


def refuse_what_is_left(suspect: WriteSuspect, sites: Iterable[Site]) -> None:
    """Raise Refused where a function that sets it reads before what another request may have left there.

    One that makes it when it is missing, and is no handler itself, would make one for each request.
    """
    functions: dict[cst.FunctionDef, list[Site]] = {}
    for site in sites:
        functions.setdefault(site.function, []).append(site)
    handlers = {(one.head.path, one.head.line) for one in suspect.passing.handlers}
    for function, own in functions.items():
        stores = [site.node for site in own if site.store is not None]
        reads = [site.node for site in own if site.store is None]
        syntax = own[0].syntax
        if not stores or (suspect.guarded and (syntax.path, syntax.span(function.name).line) not in handlers):
            continue
        if early := flow.unassigned(syntax, function, stores, reads, lenient=True):
            where = syntax.site(early[0])
            raise Refused(f"`{function.name.value}` reads what an earlier request left at {where}")


def _is_in(syntax: Syntax, declaration: cst.CSTNode) -> bool:
    return any(node is declaration for node in syntax.walk(syntax.module))


def _store(syntax: Syntax, node: cst.CSTNode) -> cst.Assign | cst.AnnAssign | None:
    """The statement that binds the name and nothing else; None where it is read."""
    match syntax.parent(node):
        case cst.AssignTarget() as target:
            statement = syntax.parent(target)
            if isinstance(statement, cst.Assign) and len(statement.targets) == 1:
                return statement
        case cst.AnnAssign(target=target, value=value) as statement if target is node and value is not None:
            return statement
        case cst.AugAssign() | cst.Del() | cst.NamedExpr() | cst.AsName() | cst.Element() | cst.StarredElement():
            pass
        case cst.For() | cst.CompFor() as loop if loop.target is node:
            pass
        case _:
            return None
    raise Refused(f"it is not plainly set at {syntax.site(node)}")


# --- edits -------------------------------------------------------------------------------------------------------


def _declared(syntax: Syntax, statement: cst.Assign | cst.AnnAssign, name: str, call: str) -> tuple[Edit, ...]:
    assert statement.value is not None  # a constant
    replaced: dict[cst.CSTNode, Replacement] = {
        statement.value: f'{call}("{name}", default={syntax.code(statement.value)})'
    }
    if isinstance(statement, cst.AnnAssign):
        kept = statement.annotation.annotation
        replaced[kept] = f"{call}[{syntax.code(kept)}]"
    return syntax.rewrite(replaced)


def _refuse_readers_behind(suspect: WriteSuspect, files: Files, sites: Sequence[Site]) -> None:
    """Raise Refused where somebody reads it when the entry point that sets it is done, and has set it back: a hook."""
    calls = [(one, files[one.span.path]) for one in suspect.passing.calls]
    for function in {site.function: None for site in sites if site.store is not None}:
        own = [site for site in sites if site.function is function]
        if _token(own[0].syntax, suspect, function, own) is None:
            continue
        below = {function}
        for _ in suspect.passing.calls:
            heads = {
                (one.callee.path, line)
                for one, there in calls
                if not below.isdisjoint(functions_around(there, there.node_at(one.span, cst.Call)))
                for line in range(one.callee.line, one.callee.end_line + 1)
            }
            below |= {node for path in {path for path, _ in heads} for node in _functions(files[path], heads)}
        for site in sites:
            if below.isdisjoint(functions_around(site.syntax, site.node)):
                where = site.syntax.site(site.node)
                raise Refused(f"`{function.name.value}` is done when it is read at {where}")


def _functions(syntax: Syntax, heads: Set[tuple[str, int]]) -> Iterator[cst.FunctionDef]:
    for node in syntax.walk(syntax.module, cst.FunctionDef):
        if (syntax.path, syntax.span(node.name).line) in heads:
            yield node


def _rewritten(syntax: Syntax, suspect: WriteSuspect, sites: Iterable[Site], name: str) -> list[Edit]:
    replaced: dict[cst.CSTNode, Replacement] = {}
    extra: list[Edit] = []
    functions: dict[cst.FunctionDef, list[Site]] = {}
    for site in sites:
        functions.setdefault(site.function, []).append(site)
        if site.store is None:
            replaced[site.node] = f"{syntax.code(site.node)}.get()"
    for function, own in functions.items():
        replaced |= without_declarations(syntax, global_statements(syntax, function, name), name)
        token = _token(syntax, suspect, function, own)
        for site in own:
            if site.store is not None:
                extra += _set(syntax, site, token)
    return [*extra, *syntax.rewrite(replaced)]


def _set(syntax: Syntax, site: Site, token: tuple[Site, str] | None) -> list[Edit]:
    """`name = value` becomes `name.set(value)`, within the value all stays as it is."""
    assert site.store is not None
    assert site.store.value is not None
    variable, value = syntax.code(site.node), site.store.value
    start, end = syntax.range(site.store)[0], syntax.whole(value)[0]
    bare = isinstance(value, cst.Tuple) and not value.lpar
    opened, closed = ("((", "))") if bare else ("(", ")")
    kept = f"{token[1]} = " if token and token[0] is site else ""
    edits = [
        Edit(syntax.path, start, end, syntax.text[start:end], f"{kept}{variable}.set{opened}"),
        syntax.insert(syntax.whole(value)[1], closed),
    ]
    return [*edits, *_guarded(syntax, site, token[1])] if token and token[0] is site else edits


def _token(
    syntax: Syntax, suspect: WriteSuspect, function: cst.FunctionDef, own: list[Site]
) -> tuple[Site, str] | None:
    """The store that an entry point is to take back when it is done, and a free name for what that takes."""
    entry = suspect.route.entry if suspect.route is not None else None
    stores = [site for site in own if site.store is not None]
    if (entry is not None and entry.concurrency == "loop") or not stores:
        return None
    first = stores[0]
    assert first.store is not None
    if entry is None or entry.function != suspect.function or entry.function.rpartition(".")[2] != function.name.value:
        raise Refused(f"the thread's next request would find it: nothing sets it back behind {syntax.site(first.node)}")
    if syntax.parent(syntax.statement(first.store)) is not function.body:
        raise Refused(f"it is only set on some paths at {syntax.site(first.node)}")
    return first, free_name("token", names_in(syntax, function))


def _yields(syntax: Syntax, function: cst.FunctionDef) -> bool:
    return any(function_of(syntax, n) is function for n in syntax.walk(function, cst.Yield))


def _guarded(syntax: Syntax, site: Site, token: str) -> list[Edit]:
    """What follows in the function's body goes into a `try`, and `finally` sets the variable back."""
    assert site.store is not None
    statement = syntax.statement(site.store)
    body = list(site.function.body.body)
    behind = body[body.index(statement) + 1 :]
    if not behind:
        raise Refused(f"nothing follows the store at {syntax.site(site.node)}")
    indent, inner, newline = syntax.indent(statement), syntax.module.default_indent, syntax.newline
    start, end = syntax.before_comments(syntax.statement(behind[0])), syntax.whole(behind[-1])[1]
    for node in (inside for one in behind for inside in syntax.walk(one)):
        if isinstance(node, _TEXT) and re.search(r"[\r\n]", syntax.code(node)):
            raise Refused(f"a text of several lines follows at {syntax.site(node)}")
    variable = syntax.code(site.node)
    closing = f"{indent}finally:{newline}{indent}{inner}{variable}.reset({token}){newline}"
    ended = syntax.text[end - 1 : end] in ("\n", "\r")
    edits = [syntax.insert(start, f"{indent}try:{newline}")]
    for line in re.finditer(r"[^\r\n]+", syntax.text[start:end]):
        edits.append(syntax.insert(start + line.start(), inner))
    return [*edits, syntax.insert(end, closing if ended else newline + closing.rstrip())]
