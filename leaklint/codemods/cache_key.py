"""A cache that leaves out who asks, to one whose key says it: a dict filled by hand, or a memoised function.

The dict must be used under that one key in functions that know who asks; the function gets one more argument from all
its callers, who must be able to say it. Everything else is Refused.
"""

from __future__ import annotations

import re

import libcst as cst

from leaklint.codemods import Refused, imports, offer, parameter
from leaklint.codemods.names import occurrences, refuse_strings
from leaklint.codemods.own_variable import EMPTY
from leaklint.codemods.scope import free_name, function_of, names_in, parameters
from leaklint.finding import Edit, Fix, Safety
from leaklint.project.suspect import CacheSuspect
from leaklint.syntax import Files, Replacement, Syntax

_METHODS = frozenset({"get", "pop", "setdefault"})
_PLAIN = re.compile(r"[A-Za-z_][\w.]*(\[(['\"])\w+\2\])?")
_ASKED = re.compile(rf"{_PLAIN.pattern}|[A-Za-z_]\w*(\.get)?\(\)")
_OF_CACHE = frozenset({"cache_clear", "cache_info"})


def add_to_key(suspect: CacheSuspect, files: Files) -> Fix:
    """Make what the value depends on part of the key."""
    title = f"Make `{suspect.needs[0]}` part of the key"
    if suspect.form == "dict":
        return offer(title, Safety.SUGGESTED, lambda: _in_dict(suspect, files))
    return offer(title, Safety.SUGGESTED, lambda: _in_function(suspect, files))


def _need(suspect: CacheSuspect, plain: re.Pattern[str] = _PLAIN) -> str:
    if len(suspect.needs) != 1 or not plain.fullmatch(suspect.needs[0]):
        raise Refused(f"the values depend on more than one plain name: {', '.join(suspect.needs)}")
    return suspect.needs[0]


# --- a dict ------------------------------------------------------------------------------------------------------


def _in_dict(suspect: CacheSuspect, files: Files) -> list[Edit]:
    need, syntax, name = _need(suspect), files[suspect.span.path], suspect.name
    if not name.isidentifier():
        raise Refused(f"`{name}` is no module-level name")
    _refuse_other_files(syntax, name, files)
    refuse_strings(syntax, name, files)
    replaced: dict[cst.CSTNode, Replacement] = {}
    keys: set[str] = set()
    for node in occurrences(syntax, syntax.module, name):
        if _is_made(syntax, node):
            replaced |= _annotation(syntax, node, suspect, need)
            continue
        key = _key(syntax, node)
        if not _knows(syntax, node, need):
            raise Refused(f"nothing says `{need}` at {syntax.site(node)}")
        keys.add(syntax.code(key))
        replaced[key] = f"({syntax.code(key)}, {need})"
    if len(keys) != 1:
        raise Refused(f"`{name}` is used under more than one key: {', '.join(sorted(keys))}")
    return list(syntax.rewrite(replaced))


def _refuse_other_files(syntax: Syntax, name: str, files: Files) -> None:
    for path, text in files.with_word(name):
        if path != syntax.path:
            there = files[path]
            if f".{name}" in text or name in names_in(there, there.module):
                raise Refused(f"`{name}` is used in {path} too")


def _is_made(syntax: Syntax, node: cst.Name) -> bool:
    """Whether the empty dict is bound to the name there."""
    above = syntax.parent(node)
    statement = syntax.parent(above) if isinstance(above, cst.AssignTarget) else above
    if not isinstance(statement, cst.Assign | cst.AnnAssign) or function_of(syntax, node) is not None:
        return False
    return statement.value is not None and EMPTY.fullmatch(syntax.code(statement.value)) is not None


def _annotation(syntax: Syntax, node: cst.Name, suspect: CacheSuspect, need: str) -> dict[cst.CSTNode, Replacement]:
    match syntax.parent(node):
        case cst.AnnAssign(
            annotation=cst.Annotation(
                annotation=cst.Subscript(slice=[cst.SubscriptElement(slice=cst.Index(value=kind)), _])
            )
        ):
            function = function_of(syntax, syntax.node_at(suspect.span))
            typed = {one.name.value: one.annotation for one in parameters(function)} if function is not None else {}
            annotation = typed.get(need)
            other = syntax.code(annotation.annotation) if annotation is not None else "object"
            return {kind: f"tuple[{syntax.code(kind)}, {other}]"}
        case _:
            return {}


def _key(syntax: Syntax, node: cst.Name) -> cst.BaseExpression:
    """The key under which the dict is used there."""
    above = syntax.parent(node)
    match above:
        case cst.Subscript(slice=[cst.SubscriptElement(slice=cst.Index(value=key))]) if above.value is node:
            return key
        case cst.ComparisonTarget(operator=cst.In() | cst.NotIn()):
            comparison = syntax.parent(above)
            if isinstance(comparison, cst.Comparison) and len(comparison.comparisons) == 1:
                return comparison.left
        case cst.Attribute(attr=cst.Name(value=method)) if method in _METHODS:
            call = syntax.parent(above)
            if isinstance(call, cst.Call) and call.func is above and call.args:
                return call.args[0].value
        case _:
            pass
    raise Refused(f"the cache is used as a whole at {syntax.site(node)}")


def _knows(syntax: Syntax, node: cst.CSTNode, need: str) -> bool:
    """Whether the function around the node has a parameter that the expression begins with."""
    function = function_of(syntax, node)
    root = re.split(r"[.\[]", need)[0]
    return function is not None and root in {one.name.value for one in parameters(function)}


# --- a function --------------------------------------------------------------------------------------------------


def _in_function(suspect: CacheSuspect, files: Files) -> list[Edit]:
    need, syntax = _need(suspect, _ASKED), files[suspect.span.path]
    function = _cached(syntax, suspect)
    source = files[suspect.source.path]
    reader = function_of(source, source.node_at(suspect.source))
    if reader is function:
        said, imported = need, _imported(syntax, need)
        own = [node for node in syntax.walk(function.body) if _says(syntax, node, need)]
    else:
        said, imported = _said(syntax, suspect, source, reader, files)
        own = []
    calls = _calls(syntax, function, files)
    words = re.findall(r"\w+", need)[-2:]
    wanted = words[-1] if words[-1].endswith("_id") else "_".join(words)
    name = free_name(f"{suspect.concept}_id" if need.endswith("()") else wanted, names_in(syntax, function))
    replaced: dict[cst.CSTNode, Replacement] = dict.fromkeys(own, name)
    positional = parameter.by_position(function, calls)
    annotated = any(one.annotation is not None for one in parameters(function)) or function.returns is not None
    declaration = f"{name}: {_type(source, reader, said)}" if annotated else name
    edits = [*imported, *parameter.declared(syntax, function, declaration, positional=positional)]
    for call in calls:
        edits += parameter.passed(syntax, call, name, said, positional=positional)
    return [*edits, *syntax.rewrite(replaced)]


def _cached(syntax: Syntax, suspect: CacheSuspect) -> cst.FunctionDef:
    """The function that is remembered. Raises Refused where it is none of the module."""
    for above in (node := syntax.node_at(suspect.span), *syntax.ancestors(node)):
        if isinstance(above, cst.FunctionDef):
            if isinstance(syntax.parent(above), cst.Module):
                return above
            break
    raise Refused(f"`{suspect.name}` is no function of a module at {suspect.span.path}:{suspect.span.line}")


def _imported(syntax: Syntax, need: str) -> list[Edit]:
    root = re.split(r"[.\[(]", need)[0]
    if imports.full_name(syntax, root) == root and not _is_made_here(syntax, root):
        raise Refused(f"`{root}` is no name that the file imports")
    return []


def _is_made_here(syntax: Syntax, name: str) -> bool:
    """Whether a statement of the module gives it the name."""
    return any(
        isinstance(syntax.parent(node), cst.AssignTarget | cst.AnnAssign | cst.FunctionDef)
        and isinstance(syntax.parent(syntax.statement(node)), cst.Module)
        for node in occurrences(syntax, syntax.module, name)
    )


def _said(
    syntax: Syntax, suspect: CacheSuspect, source: Syntax, reader: cst.FunctionDef | None, files: Files
) -> tuple[str, list[Edit]]:
    """What the callers say who asks by, where a callee reads it: the function that gives it, or what it reads itself.

    The edits import it. What is no call may not be there for all callers.
    """
    need = suspect.needs[0]
    if not need.endswith("()"):
        raise Refused(f"`{need}` is read by what the function calls: {source.path}:{suspect.source.line}")
    said = need
    if reader is not None and not parameters(reader) and reader.name.value.endswith(f"{suspect.concept}_id"):
        said = f"{reader.name.value}()"
    root = re.split(r"[.(]", said)[0]
    if imports.full_name(syntax, root) != root or (syntax is source and _is_made_here(syntax, root)):
        return said, []
    for path, _ in files.with_word(root):
        if path not in (source.path, syntax.path) and imports.full_name(files[path], root) != root:
            return said, imports.as_in(syntax, files[path], root)
    raise Refused(f"nobody else imports `{root}`")


def _type(source: Syntax, reader: cst.FunctionDef | None, said: str) -> str:
    """The type of what callers say: that of a getter where it is a plain one."""
    if reader is None or reader.returns is None or said != f"{reader.name.value}()":
        return "object"
    given = source.code(reader.returns.annotation)
    return given if given in ("str", "int", "str | None", "int | None") else "object"


def _says(syntax: Syntax, node: cst.CSTNode, need: str) -> bool:
    plain = isinstance(node, cst.Name | cst.Attribute | cst.Subscript | cst.Call)
    return plain and syntax.code(node) == need


def _calls(syntax: Syntax, function: cst.FunctionDef, files: Files) -> list[cst.Call]:
    """All calls of the function, which must be in its own file. Raises Refused."""
    name = function.name.value
    for path, text in files.with_word(name):
        if path != syntax.path and (f".{name}" in text or not _only_emptied(files[path], name)):
            raise Refused(f"`{name}` is used in {path} too")
    refuse_strings(syntax, name, files)
    calls: list[cst.Call] = []
    for node in occurrences(syntax, syntax.module, name):
        above = syntax.parent(node)
        if above is function or _is_of_cache(above, node):
            continue
        if not isinstance(above, cst.Call) or above.func is not node or function_of(syntax, above) is function:
            raise Refused(f"`{name}` cannot take another argument: it is used at {syntax.site(node)}")
        calls.append(above)
    if not calls:
        raise Refused(f"nobody is seen to call `{name}`")
    return calls


def _only_emptied(syntax: Syntax, name: str) -> bool:
    """Whether a file imports the function, if at all, to empty its cache."""
    nodes = occurrences(syntax, syntax.module, name)
    return all(isinstance(above := syntax.parent(n), cst.ImportAlias) or _is_of_cache(above, n) for n in nodes)


def _is_of_cache(above: cst.CSTNode | None, node: cst.CSTNode) -> bool:
    return isinstance(above, cst.Attribute) and above.value is node and above.attr.value in _OF_CACHE
