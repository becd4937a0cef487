"""A call and what it should carry to the edits that make it carry that: as an argument, or as an entry of one.

Whether the callee takes the argument is for the caller to know; nothing is ever passed into a `**mapping`.
"""

from __future__ import annotations

import libcst as cst

from leaklint.codemods import Refused, imports, listing, offer
from leaklint.codemods.scope import function_of, names_in, parameters
from leaklint.finding import Edit, Fix, Safety
from leaklint.syntax import Syntax


def pass_argument(syntax: Syntax, call: cst.Call, name: str, expression: str, *, safety: Safety = Safety.SAFE) -> Fix:
    """Add `name=expression` to the call; only suggested where the call also spreads a mapping that may hold it."""
    if any(argument.star == "**" for argument in call.args):
        safety = Safety.SUGGESTED
    return offer(f"Pass `{name}={expression}`", safety, lambda: keyword(syntax, call, name, expression))


def send_entry(
    syntax: Syntax, call: cst.Call, argument: str, key: str, expression: str, example: Syntax | None = None
) -> Fix:
    """Add an entry to a mapping that the call passes (`headers`, `metadata`); `key` is the bare text of a string.

    What the expression begins with is imported as the file `example` does, where the call's own file has no such name.
    """

    def edits() -> list[Edit]:
        root = expression.partition(".")[0].removesuffix("()")
        sent, imported = entry(syntax, call, argument, key, expression), list[Edit]()
        if example is not None and root not in names_in(syntax, syntax.module):
            imported = imports.as_in(syntax, example, root)
        return [*imported, *sent]

    return offer(f"Send `{key}` in `{argument}`", Safety.SUGGESTED, edits)


def has_form_of_its_own(syntax: Syntax, other: cst.Call, call: cst.Call, argument: str) -> bool:
    """Whether `other`, a call of the file, passes as `argument` more than plain entries, or nobody can say what.

    That is pairs, mappings of mappings, entries beside a spread, and what is made elsewhere; the last two are taken
    where `call` passes something already, which shows the form.
    """
    passed = _named(other, argument)
    shown = _named(call, argument) is not None
    match passed.value if passed is not None else None:
        case None:
            return False
        case cst.List() | cst.Tuple():
            return True
        case cst.Dict(elements=elements):
            spread = any(isinstance(element, cst.StarredDictElement) for element in elements)
            return (spread and not shown) or any(_is_mapping(syntax, element.value) for element in elements)
        case _:
            return not shown


def _is_mapping(syntax: Syntax, value: cst.BaseExpression) -> bool:
    """Whether a value is a dict, or a variable of the function that is one."""
    if isinstance(value, cst.Dict):
        return True
    function = function_of(syntax, value)
    if not isinstance(value, cst.Name) or function is None:
        return False
    return any(
        isinstance(node, cst.Assign)
        and isinstance(node.value, cst.Dict)
        and any(isinstance(one.target, cst.Name) and one.target.value == value.value for one in node.targets)
        for node in syntax.walk(function)
    )


def keyword(syntax: Syntax, call: cst.Call, name: str, expression: str) -> list[Edit]:
    """Edits that add a keyword argument behind the last one, before a `**mapping`. Raises Refused."""
    if _named(call, name):
        raise Refused(f"`{name}` is already passed at {syntax.site(call)}")
    return argument(syntax, call, f"{name}={expression}")


def argument(syntax: Syntax, call: cst.Call, text: str) -> list[Edit]:
    """Edits that add an argument behind the last one, before a `**mapping`."""
    plain = [one for one in call.args if one.star != "**"]
    if not call.args:
        return [syntax.insert(syntax.whole(call.whitespace_before_args)[0], text)]
    if not plain:
        return listing.before(syntax, syntax.range(call.args[0])[0], text)
    start, end = syntax.range(plain[-1])
    if len(call.args) == 1 and isinstance(plain[0].value, cst.GeneratorExp) and not plain[0].value.lpar:
        return [syntax.insert(start, "("), syntax.insert(end, f"), {text}")]
    return listing.behind(syntax, start, end, text)


def entry(syntax: Syntax, call: cst.Call, argument: str, key: str, expression: str) -> list[Edit]:
    """Edits that add `"key": expression` to the mapping passed as `argument`, where it is not None. Raises Refused."""
    item = f'"{key}": {expression}'
    if optional := _is_optional(syntax, call, expression):
        item = f"**({{{item}}} if {expression} else {{}})"
    passed = _named(call, argument)
    if passed is None:
        if any(one.star == "**" for one in call.args):
            raise Refused(f"`{argument}` may already be in the mapping spread at {syntax.site(call)}")
        text = f'{{"{key}": {expression}}} if {expression} else None' if optional else f"{{{item}}}"
        return keyword(syntax, call, argument, text)
    match passed.value:
        case cst.Dict() as mapping:
            return _into_dict(syntax, mapping, key, item)
        case cst.Name(value="None") as nothing:
            return list(syntax.rewrite({nothing: f"{{{item}}}"}))
        case value:
            kept = syntax.code(value)
            spread = f"({kept} or {{}})" if _may_be_none(syntax, value) else _bracketed(value, kept)
            return list(syntax.rewrite({value: f"{{**{spread}, {item}}}"}))


def _into_dict(syntax: Syntax, mapping: cst.Dict, key: str, item: str) -> list[Edit]:
    for element in mapping.elements:
        if isinstance(element, cst.DictElement) and _text(element.key) == key:
            raise Refused(f"`{key}` is already sent at {syntax.site(element)}")
    if not mapping.elements:
        return [syntax.insert(syntax.whole(mapping.lbrace)[0] + 1, item)]
    return listing.behind(syntax, *syntax.range(mapping.elements[-1]), item)


def _named(call: cst.Call, name: str) -> cst.Arg | None:
    return next((one for one in call.args if one.keyword is not None and one.keyword.value == name), None)


def _text(node: cst.BaseExpression) -> str | None:
    value = node.evaluated_value if isinstance(node, cst.SimpleString) else None
    return value if isinstance(value, str) else None


def _bracketed(value: cst.BaseExpression, code: str) -> str:
    """What may stand behind `**` as it is, else in parentheses."""
    plain = isinstance(value, cst.Name | cst.Attribute | cst.Call | cst.Subscript)
    return code if plain else f"({code})"


def _may_be_none(syntax: Syntax, value: cst.BaseExpression) -> bool:
    """Whether the value is a parameter of the function around it that may be, or defaults to, None."""
    return isinstance(value, cst.Name) and _is_optional(syntax, value, value.value)


def _is_optional(syntax: Syntax, node: cst.CSTNode, name: str) -> bool:
    """Whether `name` is a parameter of the function around a node that may be, or defaults to, None."""
    function = function_of(syntax, node)
    for parameter in parameters(function) if function is not None else ():
        if parameter.name.value == name:
            annotation = syntax.code(parameter.annotation.annotation) if parameter.annotation else ""
            default = parameter.default
            defaults_to_none = isinstance(default, cst.Name) and default.value == "None"
            return defaults_to_none or "None" in annotation or "Optional" in annotation
    return False
