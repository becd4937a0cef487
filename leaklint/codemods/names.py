"""The occurrences of a variable that functions share: what declares it there, and what only looks like it.

By name within one file. Whether a name is the variable where another file uses it is for the engine to know.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator

import libcst as cst

from leaklint.codemods import Refused, imports
from leaklint.codemods.scope import function_of, outer_function, parameters, says
from leaklint.syntax import REMOVE, Files, Replacement, Syntax


def occurrences(syntax: Syntax, top: cst.CSTNode, name: str) -> Iterator[cst.Name]:
    """The bare names in a node that are spelled so, labels of attributes and arguments apart."""
    for node in syntax.walk(top, cst.Name):
        if node.value == name:
            above = syntax.parent(node)
            if isinstance(above, cst.Attribute) and above.attr is node:
                continue
            if isinstance(above, cst.Arg) and above.keyword is node:
                continue
            yield node


def global_statements(syntax: Syntax, function: cst.FunctionDef, name: str) -> list[cst.Global | cst.Nonlocal]:
    """The `global` and `nonlocal` statements of a function itself that name the variable."""
    return [
        node
        for node in syntax.walk(function.body, cst.Global, cst.Nonlocal)
        if any(item.name.value == name for item in node.names) and function_of(syntax, node) is function
    ]


def without_declarations(
    syntax: Syntax, statements: Iterable[cst.Global | cst.Nonlocal], name: str
) -> dict[cst.CSTNode, Replacement]:
    """The statements without the name; those that say nothing else go."""
    replaced: dict[cst.CSTNode, Replacement] = {}
    for statement in statements:
        kept = [item.name.value for item in statement.names if item.name.value != name]
        word = "global" if isinstance(statement, cst.Global) else "nonlocal"
        replaced[statement] = f"{word} {', '.join(kept)}" if kept else REMOVE
    return replaced


def is_bound_in(syntax: Syntax, function: cst.FunctionDef, name: str) -> bool:
    """Whether the function has a variable of its own that is called so."""
    if any(one.name.value == name for one in parameters(function)):
        return True
    if global_statements(syntax, function, name):
        return False
    return any(
        _binds(syntax, node) and function_of(syntax, node) is function for node in occurrences(syntax, function, name)
    )


def _binds(syntax: Syntax, node: cst.Name) -> bool:
    match syntax.parent(node):
        case cst.AssignTarget() | cst.AugAssign() | cst.AsName() | cst.NamedExpr() | cst.Del() | cst.ImportAlias():
            return True
        case cst.AnnAssign() | cst.For() | cst.CompFor() as above:
            return above.target is node
        case cst.Element() | cst.StarredElement() as above:
            return any(isinstance(one, cst.AssignTarget | cst.For | cst.AsName) for one in syntax.ancestors(above))
        case cst.FunctionDef() | cst.ClassDef() as above:
            return above.name is node
        case cst.MatchAs() | cst.MatchStar():
            return True
        case _:
            return False


def refuse_other_meanings(syntax: Syntax, name: str, known: Collection[cst.CSTNode]) -> None:
    """Raise Refused where the file says the name in a place that is not known and is no variable of a function."""
    for node in occurrences(syntax, syntax.module, name):
        if isinstance(syntax.parent(node), cst.ImportAlias):
            raise Refused(f"the import of `{name}` at {syntax.site(node)} may be of this name")
        if isinstance(syntax.parent(node), cst.NameItem | cst.Param) or node in known:
            continue
        if any(syntax.holds(one, node) for one in known):
            continue
        if is_local(syntax, node, name):
            continue
        raise Refused(f"the use of `{name}` at {syntax.site(node)} is not understood")


def is_local(syntax: Syntax, node: cst.Name, name: str) -> bool:
    """Whether a name is a variable of a function or lambda around it."""
    scope = function_of(syntax, node)
    while scope is not None:
        if is_bound_in(syntax, scope, name):
            return True
        scope = outer_function(syntax, scope)
    lambdas = [one for one in syntax.ancestors(node) if isinstance(one, cst.Lambda)]
    return any(name in {param.name.value for param in parameters(one)} for one in lambdas)


# --- names in strings --------------------------------------------------------------------------------------------


_BY_NAME = frozenset({"getattr", "setattr", "delattr", "hasattr", "object", "setitem", "delitem"})


def refuse_strings(syntax: Syntax, name: str, files: Files) -> None:
    """Raise Refused where a string reaches the module-level name: `__all__`, `setattr`, the target of a patch."""
    for node in syntax.walk(syntax.module, cst.SimpleString):
        if says(node, name) and _reaches(syntax, node):
            raise Refused(f"`{name}` is named in a string at {syntax.site(node)}")
    module = syntax.path.removesuffix(".py").removesuffix("/__init__").rpartition("/")[2]
    dotted = re.compile(rf"""["'][\w.]*\b{re.escape(module)}\.{re.escape(name)}["']""")
    quoted = re.compile(rf"""["']{re.escape(name)}["']""")
    for path, text in files.texts.items():
        if match := dotted.search(text) if name in text else None:
            line = text.count("\n", 0, match.start()) + 1
            raise Refused(f"`{name}` is named in a string at {path}:{line}")
        if path != syntax.path and module in text and quoted.search(text):
            _refuse_by_name(files[path], module, name)


def _refuse_by_name(syntax: Syntax, module: str, name: str) -> None:
    """Raise Refused where a file that imports the module reaches the name in it by a string."""
    for node in syntax.walk(syntax.module, cst.Call):
        match node:
            case cst.Call(func=cst.Name(value=by), args=[first, second, *_]) if by in _BY_NAME:
                is_name = isinstance(second.value, cst.SimpleString) and says(second.value, name)
                if is_name and imports.full_name(syntax, syntax.code(first.value)).rpartition(".")[2] == module:
                    raise Refused(f"`{name}` is named in a string at {syntax.site(node)}")


def _reaches(syntax: Syntax, node: cst.SimpleString) -> bool:
    for above in syntax.ancestors(node):
        match above:
            case cst.Subscript(value=cst.Call(func=cst.Name(value="globals" | "vars" | "locals"))):
                return True
            case cst.Call(func=cst.Name(value=name) | cst.Attribute(attr=cst.Name(value=name))) if name in _BY_NAME:
                return True
            case cst.Assign() | cst.AugAssign() | cst.AnnAssign():
                return "__all__" in syntax.code(above)
            case cst.BaseStatement():
                return False
    return False
