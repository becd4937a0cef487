"""What names mean in one function of a file: which are taken, which are free, and which function a node runs in.

Only what a conversion needs in order not to change a meaning; it resolves no names of other files.
"""

from __future__ import annotations

import builtins
import keyword
from collections.abc import Iterable, Iterator

import libcst as cst

from leaklint.codemods import Refused
from leaklint.syntax import Syntax

_BUILTINS = frozenset(dir(builtins))


def function_of(syntax: Syntax, node: cst.CSTNode) -> cst.FunctionDef | None:
    """The function whose body, or whose lambda or comprehension, holds the node; None in module and class bodies.

    Decorators, defaults and annotations belong to the function around theirs.
    """
    inner = node
    for above in syntax.ancestors(node):
        if isinstance(above, cst.FunctionDef) and inner is above.body:
            return above
        if isinstance(above, cst.ClassDef) and inner is above.body:
            return None
        inner = above
    return None


def outer_function(syntax: Syntax, function: cst.FunctionDef) -> cst.FunctionDef | None:
    """The function whose variables a function can see, whether or not classes stand between the two."""
    return syntax.enclosing(function, cst.FunctionDef)


def method_of(syntax: Syntax, owner: cst.ClassDef, node: cst.CSTNode) -> cst.FunctionDef | None:
    """The method of the class that the node is in, however deep in functions nested there."""
    inside = list(_until(syntax, node, owner))
    methods = [above for above in inside if isinstance(above, cst.FunctionDef) and syntax.parent(above) is owner.body]
    return methods[0] if methods and methods[0] is not node else None


def _until(syntax: Syntax, node: cst.CSTNode, top: cst.CSTNode) -> Iterator[cst.CSTNode]:
    for above in syntax.ancestors(node):
        if above is top:
            return
        yield above


def methods(owner: cst.ClassDef) -> Iterator[cst.FunctionDef]:
    """The functions that stand directly in a class body."""
    for statement in owner.body.body:
        if isinstance(statement, cst.FunctionDef):
            yield statement


def parameters(function: cst.FunctionDef | cst.Lambda) -> list[cst.Param]:
    """All parameters in the order of the code, `*args` and `**kwargs` included."""
    params = function.params
    star = [params.star_arg] if isinstance(params.star_arg, cst.Param) else []
    rest = [params.star_kwarg] if params.star_kwarg else []
    return [*params.posonly_params, *params.params, *star, *params.kwonly_params, *rest]


def says(node: cst.SimpleString, text: str) -> bool:
    """Whether a string is this text: few hold it, and what a string is takes Python's own parser."""
    return (text in node.value or "\\" in node.value) and node.evaluated_value == text


def names_in(syntax: Syntax, node: cst.CSTNode) -> set[str]:
    """Every bare name in the node, read or bound; attribute and keyword names are none."""
    return {here.value for here in syntax.walk(node, cst.Name) if not _is_label(syntax.parent(here), here)}


def _is_label(above: cst.CSTNode | None, name: cst.Name) -> bool:
    if isinstance(above, cst.Attribute):
        return above.attr is name
    return isinstance(above, cst.Arg) and above.keyword is name


def free_name(wanted: str, taken: Iterable[str]) -> str:
    """`wanted`, or the nearest name to it that is neither taken, a builtin nor a keyword. Raises Refused."""
    base = wanted.strip("_") or "value"
    used = {*taken, *_BUILTINS, *keyword.kwlist}
    for name in (base, f"request_{base}", f"own_{base}", *(f"{base}_{number}" for number in range(2, 10))):
        if name.isidentifier() and name not in used:
            return name
    raise Refused(f"no name like `{base}` is free")
