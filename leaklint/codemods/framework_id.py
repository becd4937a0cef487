"""An attribute that holds one id for all to the id that the framework has for the session of each call.

Every place that reads the attribute must be in a function which the framework gives its request object, or to which
the id can be handed down; the one that sets it goes. That the attribute is that constant everywhere is for the rule
to know.
"""

from __future__ import annotations

from collections.abc import Iterable

import libcst as cst

from leaklint.codemods import Refused, imports, offer
from leaklint.codemods.scope import function_of, parameters
from leaklint.codemods.session_key import SessionKeys
from leaklint.finding import Edit, Fix, Safety
from leaklint.project.suspect import Access, Use
from leaklint.syntax import REMOVE, Files, Replacement, Syntax


def use_framework_id(files: Files, uses: Iterable[Use], request: str, expression: str, keys: SessionKeys) -> Fix:
    """Read `expression` of the request where the attribute was read.

    Args:
        files: the program.
        uses: every occurrence of the attribute.
        request: dotted name of the class of the framework's request object.
        expression: the id as an attribute of such an object: `request.session_hash`.
        keys: the ids of the session where no such object is at hand.
    """
    attribute = expression.partition(".")[2]
    return offer(
        f"Use `{expression}`", Safety.SUGGESTED, lambda: _converted(files, tuple(uses), request, attribute, keys)
    )


def _converted(files: Files, uses: tuple[Use, ...], request: str, attribute: str, keys: SessionKeys) -> list[Edit]:
    if sum(use.access is Access.STORE for use in uses) != 1 or len(uses) < 2:
        raise Refused("it is not set once and read elsewhere")
    replaced: dict[str, dict[cst.CSTNode, Replacement]] = {}
    for use in uses:
        syntax = files[use.span.path]
        node = syntax.node_at(use.span)
        if not use.covered:
            raise Refused(f"nobody knows whose attribute it is at {syntax.site(node)}")
        here = replaced.setdefault(use.span.path, {})
        if use.access is Access.STORE:
            here[_assignment(syntax, node)] = REMOVE
        else:
            known = _request(syntax, node, request)
            here[node] = f"{known}.{attribute}" if known else keys.at(syntax, node)[1]
    return [*keys.edits, *(edit for path, each in replaced.items() for edit in files[path].rewrite(each))]


def _assignment(syntax: Syntax, node: cst.CSTNode) -> cst.CSTNode:
    found = syntax.enclosing(node, (cst.Assign, cst.AnnAssign))
    if isinstance(found, cst.AnnAssign) or (isinstance(found, cst.Assign) and len(found.targets) == 1):
        return found
    raise Refused(f"it is set together with others at {syntax.site(node)}")


def _request(syntax: Syntax, node: cst.CSTNode, request: str) -> str:
    """The name of the parameter that is the request object; empty when there is none."""
    function = function_of(syntax, node)
    source, _, name = request.rpartition(".")
    if function is not None:
        known = {name} if imports.has_member(syntax, source, name) else set()
        known.add(f"{imports.module(syntax, source)[0]}.{name}")
        for parameter in parameters(function):
            if parameter.annotation is not None and syntax.code(parameter.annotation.annotation) in known:
                return parameter.name.value
    return ""
