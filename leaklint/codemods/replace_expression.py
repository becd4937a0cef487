"""An expression that takes a value from the wrong source to one that takes it from the right one.

Which one is right, and that its names are in scope, is for the rule to know.
"""

from __future__ import annotations

import re

import libcst as cst

from leaklint.codemods import imports, offer
from leaklint.finding import Edit, Fix, Safety
from leaklint.syntax import REMOVE, Syntax


def replace_expression(
    syntax: Syntax,
    node: cst.BaseExpression,
    expression: str,
    *,
    safety: Safety,
    needs: tuple[str, str] | None = None,
) -> Fix:
    """Put `expression` in the place of the node; `needs` is a module and a name of it that the expression uses."""
    return offer(f"Use `{expression}`", safety, lambda: _replaced(syntax, node, expression, needs))


def drop_assignment(syntax: Syntax, node: cst.BaseExpression, name: str) -> Fix:
    """Drop `name = node`, so that the name keeps what it had; put the name in the node's place where it is passed."""
    above = syntax.parent(node)
    if isinstance(above, cst.Assign) and len(above.targets) == 1 and isinstance(above.targets[0].target, cst.Name):
        return offer(f"Keep `{name}` as it was given", Safety.SUGGESTED, lambda: _dropped(syntax, above))
    return replace_expression(syntax, node, name, safety=Safety.SUGGESTED)


def _dropped(syntax: Syntax, statement: cst.Assign) -> list[Edit]:
    edits = list(syntax.rewrite({statement: REMOVE}))
    return [*edits, *imports.unused(syntax, edits)]


def _replaced(syntax: Syntax, node: cst.BaseExpression, expression: str, needs: tuple[str, str] | None) -> list[Edit]:
    imported: list[Edit] = []
    start, end = syntax.range(node)
    spare = imports.unused_names(syntax, [Edit(syntax.path, start, end, syntax.text[start:end], expression)])
    if needs is not None:
        source, name = needs
        here, imported = imports.member(syntax, source, name, spare)
        expression = re.sub(rf"\b{re.escape(name)}\b", here, expression, count=1)
    loose = not isinstance(cst.parse_expression(expression), _TIGHT)
    bracketed = f"({expression})" if loose and not node.lpar and _binds(syntax, node) else expression
    edits = [*imported, *syntax.rewrite({node: bracketed})]
    return [*edits, *imports.unused(syntax, edits)]


_TIGHT = cst.Name | cst.Attribute | cst.Call | cst.Subscript | cst.SimpleString | cst.FormattedString | cst.Dict


def _binds(syntax: Syntax, node: cst.BaseExpression) -> bool:
    """Whether the place of the node is one where an operator would take part of a loose expression for itself."""
    return isinstance(syntax.parent(node), cst.BaseExpression | cst.ComparisonTarget | cst.StarredElement)
