"""An id that does not identify, at the place that brings it in, to one that does: fresh for each call, or given.

The type stays a string. Which id is in scope, and whether a fresh one is right, is for the rule to know.
"""

from __future__ import annotations

from collections.abc import Sequence

import libcst as cst

from leaklint.codemods import Refused, imports, offer
from leaklint.codemods.fresh_ids import refuse_derived, refuse_getter, refuse_known_constant
from leaklint.codemods.scope import function_of, names_in, parameters
from leaklint.codemods.session_key import SessionKeys
from leaklint.finding import Edit, Fix, Safety
from leaklint.syntax import REMOVE, Files, Replacement, Syntax

MADE_UP = ("session", "request", "trace", "")
"""Concepts of which a server can make a new one; who a user or a tenant is, is for others to say."""

_FRESH = "uuid4"
_EMPTY = {"[]": "list", "{}": "dict", "list()": "list", "dict()": "dict", "set()": "set"}


def give_id(
    syntax: Syntax,
    node: cst.CSTNode,
    expression: str = "",
    *,
    safety: Safety = Safety.SUGGESTED,
    name: str = "",
    files: Files | None = None,
) -> Fix:
    """Put `expression` (an id in scope), or a fresh id, in the place of a value that is no id.

    `node` is the value, or the assignment, keyword argument or dict entry that holds it. Where the value is an
    f-string with one computed part, only that part is replaced; where it is a fresh id cut short, the cut is. A fresh
    one is refused where `files`, the program, needs the same one elsewhere; `name` is what the id is called.
    """
    title = f"Use `{expression}`" if expression else "Make a fresh id"

    def convert() -> list[Edit]:
        value = _value(syntax, node)
        if files is not None and not expression:
            refuse_known_constant(syntax, value, name, files)
            refuse_getter(syntax, value, files)
        return _given(syntax, value, expression)

    return offer(title, safety, convert)


def give_asked_id(syntax: Syntax, node: cst.CSTNode, said: str, keys: SessionKeys) -> Fix:
    """Put the id that handlers may ask their framework for (`said`) in the place of a value that is the same for all.

    A fresh one would be another with each message. Refused where no handler can ask, or hand it down.
    """

    def convert() -> list[Edit]:
        value = _value(syntax, node)
        expression = keys.at(syntax, value)[1]
        return [*_given(syntax, value, expression), *keys.edits]

    return offer(f"Use `{said}`", Safety.SUGGESTED, convert)


def untried(syntax: Syntax, node: cst.CSTNode, expression: str) -> str:
    """An id in scope, unless the function asks for it already: then what stands in for it is needed there."""
    function = function_of(syntax, node)
    if expression.isidentifier() or (function is not None and expression in syntax.code(function.body)):
        return ""
    return expression


def give_session_id(syntax: Syntax, node: cst.CSTNode, name: str, template: str) -> Fix:
    """Put the id that the framework keeps for a session in the place of a value that is the same for all.

    `template` is the framework's expression by its full dotted name, as a model's `once`: `{name}` stands for what the
    id is called, `{fresh}` for a fresh one.
    """
    return offer(
        "Use the id of the session", Safety.SUGGESTED, lambda: _kept(syntax, _value(syntax, node), name, template)
    )


def _kept(syntax: Syntax, value: cst.BaseExpression, name: str, template: str) -> list[Edit]:
    source, _, rest = template.partition(".")
    here, edits = imports.module(syntax, source)
    text, also = fresh(syntax) if "{fresh}" in rest else ("", [])
    return _replaced(syntax, {value: f"{here}.{rest.format(name=name, fresh=text)}"}, [*edits, *also])


def fresh_instead(syntax: Syntax, node: cst.CSTNode, said: str, files: Files) -> Fix:
    """Put a fresh id in the place of one that can repeat; `said` is its source text.

    Safe where it is a text before and after. Refused where it is the id of an object, which must get the same one
    again, or is computed so that it comes out the same.
    """
    if kept := _stands_for(syntax, node):
        return Fix("Make a fresh id", Safety.SUGGESTED, refused=f"it is the key of `{kept}`: {syntax.site(node)}")
    text = isinstance(node, cst.FormattedString | cst.Subscript) or said.startswith("str(")
    try:
        refuse_derived(syntax, node)
    except Refused as reason:
        return Fix("Make a fresh id", Safety.SUGGESTED, refused=str(reason))
    return give_id(syntax, node, safety=Safety.SAFE if text else Safety.SUGGESTED, files=files)


def _stands_for(syntax: Syntax, node: cst.CSTNode) -> str:
    """The object whose `id()` or `hash()` is taken, unless the call was given it: it must get the same id again."""
    function = function_of(syntax, node)
    given = {one.name.value for one in parameters(function)} if function is not None else set()
    for inside in syntax.walk(node):
        match inside:
            case cst.Call(func=cst.Name(value="id" | "hash"), args=[cst.Arg(value=cst.Name(value=name))]):
                return "" if name in given else name
    return ""


def fresh_fallback(syntax: Syntax, node: cst.CSTNode, expression: str = "") -> Fix:
    """Put a fresh id (or `expression`) in the place of a constant that stands in for a missing id.

    `node` is `x or "default"`, `.get("session_id", "default")`, `x if x else "default"`, a parameter with such a
    default, or what `give_id` takes.
    """
    title = f"Fall back to `{expression}`" if expression else "Fall back to a fresh id"
    return offer(title, Safety.SUGGESTED, lambda: _fallback(syntax, node, expression))


def generate_inside(syntax: Syntax, node: cst.CSTNode, *, safety: Safety = Safety.SAFE) -> Fix:
    """Make the default of a parameter when the function is called, not when it is defined.

    `node` is the parameter or its default.
    """
    parameter = _parameter(syntax, node)
    if parameter is None:
        return Fix("Make it inside of the function", safety, refused=f"no parameter at {syntax.site(node)}")
    title = f"Make `{parameter.name.value}` inside of the function"
    return offer(title, safety, lambda: _inside(syntax, parameter, ""))


def fresh_default(
    syntax: Syntax, node: cst.CSTNode, keyword: str, field: str = "", *, safety: Safety = Safety.SUGGESTED
) -> Fix:
    """Make the default of a field or parameter for each object or call, by the factory that `keyword` names.

    `node` is a constant, which becomes a fresh id, or the expression that makes one; where it stands alone, `field` is
    the dotted name of the function that takes the factory.
    """
    return offer(f"Use `{keyword}`", safety, lambda: _made_each_time(syntax, _value(syntax, node), keyword, field))


def generate_at_use(syntax: Syntax, constant: cst.Assign | cst.AnnAssign, files: Files) -> Fix:
    """Make the id of a module-level constant where functions use it, and drop the constant."""
    return offer("Make the id where it is used", Safety.SUGGESTED, lambda: _at_use(syntax, constant, files))


def forget(syntax: Syntax, decorator: cst.Decorator, files: Files) -> Fix:
    """Take a decorator away that remembers the result of a function that makes ids."""
    if _last(decorator.decorator).endswith("property"):  # what is read without being called stays so
        return offer(
            "Do not remember the id", Safety.SUGGESTED, lambda: syntax.rewrite({decorator.decorator: "property"})
        )
    return offer("Do not remember the id", Safety.SUGGESTED, lambda: _undecorated(syntax, decorator, files))


def fresh(syntax: Syntax) -> tuple[str, list[Edit]]:
    """The text of a fresh id in this file, and the edits that import what it needs. Raises Refused."""
    call, edits = _fresh_call(syntax)
    return f"str({call})", edits


def as_factory(syntax: Syntax, value: cst.BaseExpression, source: str, name: str) -> list[Edit]:
    """Edits that turn the default of a field into a factory. Raises Refused."""
    match value:
        case cst.Call(func=function, args=args) if (kept := _default_of(args)) and _last(function) == name:
            inner = kept.value
            return list(syntax.rewrite({kept: f"default_factory={_factory(syntax, inner)}"}))
        case _:
            field, edits = imports.member(syntax, source, name)
            return [*edits, *syntax.rewrite({value: f"{field}(default_factory={_factory(syntax, value)})"})]


def _made_each_time(syntax: Syntax, value: cst.BaseExpression, keyword: str, field: str) -> list[Edit]:
    edits: list[Edit] = []
    name = field.rpartition(".")[2]
    if isinstance(value, cst.Call) and (not field or _last(value.func) == name):  # `Field(str(uuid4()))`
        kept = _default_of(value.args) or next((arg for arg in value.args if arg.keyword is None), None)
        value = kept.value if kept is not None else value
    if isinstance(value, cst.SimpleString | cst.Integer):
        text, edits = fresh(syntax)
        made = f"{keyword}=lambda: {text}"
    else:
        made = f"{keyword}={_factory(syntax, value)}"
    around = syntax.parent(value)
    if isinstance(around, cst.Arg):
        return [*edits, *syntax.rewrite({around: made})]
    if not field:
        raise Refused(f"nothing there takes a factory: {syntax.site(value)}")
    here, also = imports.member(syntax, field.rpartition(".")[0], name)
    return [*edits, *also, *syntax.rewrite({value: f"{here}({made})"})]


# --- values ------------------------------------------------------------------------------------------------------


def _fresh_call(syntax: Syntax) -> tuple[str, list[Edit]]:
    """`uuid.uuid4()` as this file would write it."""
    if imports.has_member(syntax, "uuid", _FRESH):
        name, edits = imports.member(syntax, "uuid", _FRESH)
        return f"{name}()", edits
    try:
        name, edits = imports.module(syntax, "uuid")
    except Refused:
        name, edits = imports.member(syntax, "uuid", _FRESH)
        return f"{name}()", edits
    return f"{name}.{_FRESH}()", edits


def _value(syntax: Syntax, node: cst.CSTNode) -> cst.BaseExpression:
    match node:
        case cst.Assign(value=value) | cst.Arg(value=value) | cst.DictElement(value=value):
            return value
        case cst.AnnAssign(value=value) if value is not None:
            return value
        case cst.SimpleStatementLine(body=[small]) if not isinstance(small, cst.Expr):
            return _value(syntax, small)
        case cst.BaseExpression():
            return node
        case _:
            raise Refused(f"there is no value at {syntax.site(node)}")


def _refuse_what_is_given(syntax: Syntax, value: cst.BaseExpression) -> None:
    """What a function gets from its callers is no id that is made there: a fresh one would be another."""
    function = function_of(syntax, value)
    given = {one.name.value for one in parameters(function)} if function is not None else set()
    root: cst.BaseExpression = value
    while isinstance(root, cst.Attribute):
        root = root.value
    if isinstance(root, cst.Name) and root.value in given:
        raise Refused(f"`{syntax.code(value)}` comes from the callers: {syntax.site(value)}")


def _refuse_what_is_said_again(syntax: Syntax, value: cst.BaseExpression) -> None:
    """Two places that say the same constant mean one id, and two fresh ones would be apart."""
    if not isinstance(value, cst.SimpleString) or not _is_handed_on(syntax, value):
        return
    function = function_of(syntax, value)
    for node in syntax.walk(function.body if function is not None else syntax.module):
        if node is value or not isinstance(node, cst.SimpleString) or node.value != value.value:
            continue
        if _is_handed_on(syntax, node):
            raise Refused(f"{value.value} is said twice, and one id is needed: {syntax.site(node)}")
    match syntax.parent(value):
        case cst.Index() as index if not _is_stored_under(syntax, index):
            raise Refused(f"nothing is kept under a fresh id: {syntax.site(value)}")


def _is_handed_on(syntax: Syntax, node: cst.CSTNode) -> bool:
    return isinstance(syntax.parent(node), cst.Index | cst.Arg | cst.DictElement)


def _is_stored_under(syntax: Syntax, index: cst.Index) -> bool:
    item = syntax.enclosing(index, cst.Subscript)
    return item is not None and isinstance(syntax.parent(item), cst.AssignTarget)


def _given(syntax: Syntax, value: cst.BaseExpression, expression: str) -> list[Edit]:
    if expression:
        return _replaced(syntax, {value: expression})
    _refuse_what_is_given(syntax, value)
    _refuse_what_is_said_again(syntax, value)
    match value:
        case cst.FormattedString(parts=parts):
            computed = [part for part in parts if isinstance(part, cst.FormattedStringExpression)]
            if len(computed) == 1 and _is_plain(computed[0]):
                call, edits = _fresh_call(syntax)
                return _replaced(syntax, {computed[0].expression: call}, edits)
        case cst.Subscript(value=whole) if _FRESH in syntax.code(whole):
            return _replaced(syntax, {value: syntax.code(whole)})
    text, edits = fresh(syntax)
    return _replaced(syntax, {value: text}, edits)


def _is_plain(part: cst.FormattedStringExpression) -> bool:
    return part.conversion is None and part.format_spec is None and part.equal is None


def _replaced(syntax: Syntax, replacements: dict[cst.CSTNode, Replacement], also: Sequence[Edit] = ()) -> list[Edit]:
    edits = [*also, *syntax.rewrite(replacements)]
    return [*edits, *imports.unused(syntax, edits)]


def _fallback(syntax: Syntax, node: cst.CSTNode, expression: str) -> list[Edit]:
    if parameter := _parameter(syntax, node):
        return _inside(syntax, parameter, expression or fresh(syntax)[0])
    match node:
        case cst.BooleanOperation(operator=cst.Or(), right=last):
            return _given(syntax, last, expression)
        case cst.IfExp(body=body, orelse=orelse):
            return _given(syntax, body if isinstance(body, cst.SimpleString) else orelse, expression)
        case cst.Call(args=[_, *_, cst.Arg(value=cst.SimpleString() as default)]):
            return _given(syntax, default, expression)
        case _:
            value = _value(syntax, node)
            return _given(syntax, value, expression) if value is node else _fallback(syntax, value, expression)


# --- defaults ----------------------------------------------------------------------------------------------------


def _parameter(syntax: Syntax, node: cst.CSTNode) -> cst.Param | None:
    """The parameter that the node is, or is the default of."""
    if isinstance(node, cst.Param):
        return node
    above = syntax.parent(node)
    return above if isinstance(above, cst.Param) and above.default is node else None


def _inside(syntax: Syntax, parameter: cst.Param, expression: str) -> list[Edit]:
    """`x = None` in the signature, and `if x is None: x = ...` at the top of the body."""
    function = syntax.enclosing(parameter, (cst.FunctionDef, cst.Lambda))
    if not isinstance(function, cst.FunctionDef) or not isinstance(function.body, cst.IndentedBlock):
        raise Refused(f"the function has no body to make it in at {syntax.site(parameter)}")
    if parameter.default is None or parameter not in parameters(function):
        raise Refused(f"`{parameter.name.value}` has no default at {syntax.site(parameter)}")
    edits = fresh(syntax)[1] if expression and "uuid" in expression else []
    value = expression or syntax.text[slice(*syntax.whole(parameter.default))]
    replaced: dict[cst.CSTNode, Replacement] = {parameter.default: "None"}
    if parameter.annotation is not None:
        replaced |= _optional(syntax, parameter.annotation.annotation)
    name, newline, inner = parameter.name.value, syntax.newline, syntax.module.default_indent
    body = list(function.body.body)
    indent = syntax.indent(body[0])
    code = f"{indent}if {name} is None:{newline}{indent}{inner}{name} = {value}{newline}"
    if function.get_docstring(clean=False) is None:
        return [
            *edits,
            *syntax.rewrite(replaced),
            syntax.insert(syntax.before_comments(syntax.statement(body[0])), code),
        ]
    end = syntax.whole(body[0])[1]
    ended = syntax.text[end - 1 : end] in ("\n", "\r")
    return [*edits, *syntax.rewrite(replaced), syntax.insert(end, code if ended else newline + code)]


def _optional(syntax: Syntax, annotation: cst.BaseExpression) -> dict[cst.CSTNode, Replacement]:
    """The annotation with None taken in, in the way of the file."""
    match annotation:
        case cst.Subscript(value=outer, slice=[cst.SubscriptElement(slice=cst.Index(value=inner)), *_]):
            if _last(outer) == "Annotated":
                return _optional(syntax, inner)
    text = syntax.code(annotation)
    if "None" in text or "Optional" in text or text == "Any":
        return {}
    if isinstance(annotation, cst.SimpleString):
        return {annotation: f"{text[:-1]} | None{text[-1]}"}
    if imports.has_member(syntax, "typing", "Optional"):
        return {annotation: f"{imports.member(syntax, 'typing', 'Optional')[0]}[{text}]"}
    return {annotation: f"{text} | None"}


def _default_of(args: object) -> cst.Arg | None:
    found = [arg for arg in args if isinstance(arg, cst.Arg)] if isinstance(args, list | tuple) else []
    return next((arg for arg in found if arg.keyword is not None and arg.keyword.value == "default"), None)


def _last(function: cst.CSTNode) -> str:
    match function:
        case cst.Name(value=name) | cst.Attribute(attr=cst.Name(value=name)):
            return name
        case _:
            return ""


def _factory(syntax: Syntax, value: cst.BaseExpression) -> str:
    """What makes the value anew."""
    text = syntax.code(value)
    if text in _EMPTY:
        return _EMPTY[text]
    if isinstance(value, cst.Call) and not value.args and "(" not in syntax.code(value.func):
        return syntax.code(value.func)
    return f"lambda: {text}" if not isinstance(value, cst.Tuple) or value.lpar else f"lambda: ({text})"


# --- module constants and decorators -----------------------------------------------------------------------------


def _at_use(syntax: Syntax, constant: cst.Assign | cst.AnnAssign, files: Files) -> list[Edit]:
    target = constant.target if isinstance(constant, cst.AnnAssign) else constant.targets[0].target
    if not isinstance(target, cst.Name) or constant.value is None:
        raise Refused(f"there is no constant at {syntax.site(constant)}")
    for path, text in files.texts.items():
        if path != syntax.path and target.value in text and target.value in names_in(files[path], files[path].module):
            raise Refused(f"`{target.value}` is used in {path} too")
    uses = [node for node in syntax.walk(syntax.module, cst.Name) if node.value == target.value and node is not target]
    homes = [function_of(syntax, node) for node in uses]
    if not uses or None in homes:
        raise Refused(f"`{target.value}` is not used in functions alone: {syntax.site(constant)}")
    if len(set(homes)) < len(homes):
        raise Refused(f"one function uses `{target.value}` twice, and needs one id: {syntax.site(uses[-1])}")
    if any(isinstance(syntax.parent(node), cst.AssignTarget | cst.NameItem) for node in uses):
        raise Refused(f"`{target.value}` is set anew: {syntax.site(uses[0])}")
    value = syntax.code(constant.value)
    return _replaced(syntax, {**dict.fromkeys(uses, value), constant: REMOVE})


def _undecorated(syntax: Syntax, decorator: cst.Decorator, files: Files) -> list[Edit]:
    function = syntax.parent(decorator)
    name = function.name.value if isinstance(function, cst.FunctionDef) else ""
    for path, text in files.texts.items():
        for attribute in ("cache_clear", "cache_info", "__wrapped__"):
            if f"{name}.{attribute}" in text:
                raise Refused(f"`{name}.{attribute}` is used in {path}")
    start, end = syntax.whole(decorator)
    start = syntax.whole(decorator.leading_lines[-1])[1] if decorator.leading_lines else start
    edits = [Edit(syntax.path, start, end, syntax.text[start:end], "")]
    return [*edits, *imports.unused(syntax, edits)]
