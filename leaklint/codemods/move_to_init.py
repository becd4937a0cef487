"""A mutable attribute of a class to an attribute that each object gets in its `__init__`.

A field of a data class becomes a `default_factory`. Classes whose attribute is used as one of the class are refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import libcst as cst

from leaklint.codemods import Refused, imports, offer
from leaklint.codemods.calls import subclasses
from leaklint.codemods.identity import as_factory
from leaklint.codemods.scope import function_of, methods, names_in
from leaklint.codemods.uses import init_of
from leaklint.finding import Edit, Fix, Safety
from leaklint.syntax import REMOVE, Files, Syntax

_PLAIN_BASES = frozenset({"object", "ABC", "Generic"})
_SPECIAL_BASES = frozenset({"Enum", "IntEnum", "StrEnum", "Flag", "IntFlag", "NamedTuple", "TypedDict", "Protocol"})


def move_to_init(syntax: Syntax, owner: cst.ClassDef, name: str, files: Files) -> Fix:
    """Give each object of the class its own `name`; only suggested where that needs a new `__init__` above a base."""
    title = f"Give each `{owner.name.value}` its own `{name}`"
    new_above_base = init_of(owner) is None and bool(_bases(owner) - _PLAIN_BASES)
    safety = Safety.SUGGESTED if new_above_base and not _is_data_class(owner) else Safety.SAFE
    return offer(title, safety, lambda: _moved(syntax, owner, name, files))


def _moved(syntax: Syntax, owner: cst.ClassDef, name: str, files: Files) -> list[Edit]:
    statement, value = _declaration(syntax, owner, name)
    _refuse_uses_of_the_class(syntax, owner, name, files)
    if _is_data_class(owner):
        if not isinstance(statement, cst.AnnAssign):
            raise Refused(f"`{name}` is no field of the data class at {syntax.site(statement)}")
        return as_factory(syntax, value, "dataclasses", "field")
    if special := _bases(owner) & _SPECIAL_BASES:
        raise Refused(f"`{owner.name.value}` derives from `{special.pop()}` at {syntax.site(owner)}")
    if shadowed := names_in(syntax, value) & _names_of_the_body(owner):
        raise Refused(f"the value of `{name}` needs `{sorted(shadowed)[0]}` of the class at {syntax.site(value)}")
    line = f"self.{name} = {_deeper(syntax, value)}"
    init = init_of(owner)
    if isinstance(statement, cst.Assign) and (comment := _comment(syntax, statement)):
        line = f"{line}  {comment}"
    if init is not None:
        _refuse_look_ups(syntax, init, name)
        return [*_undeclared(syntax, statement), _into_init(syntax, init, line)]
    code = _new_init(syntax, owner, line)
    only = syntax.statement(statement)
    if isinstance(statement, cst.Assign) and len(owner.body.body) == 1 and only is owner.body.body[0]:
        return list(syntax.replace(syntax.start_of_line(only), syntax.whole(only)[1], code))
    return [*_undeclared(syntax, statement), _placed(syntax, owner, code)]


def _refuse_look_ups(syntax: Syntax, init: cst.FunctionDef, name: str) -> None:
    """What a new object looks for in the attribute, others have left there: it would find nothing in its own."""
    for node in syntax.walk(init.body):
        match node:
            case cst.Attribute(value=cst.Name(value="self"), attr=cst.Name(value=found)) if found == name:
                above = syntax.parent(node)
                asked = isinstance(above, cst.ComparisonTarget) and isinstance(above.operator, cst.In | cst.NotIn)
                got = isinstance(above, cst.Attribute) and above.attr.value == "get"
                if asked or got:
                    raise Refused(f"`__init__` looks for what other objects left in `{name}`: {syntax.site(node)}")


def _deeper(syntax: Syntax, value: cst.BaseExpression) -> str:
    """The text of a value of the class body, indented as the body of a method wants it."""
    text = syntax.text[slice(*syntax.whole(value))]
    if any("\n" in syntax.code(node) for node in syntax.walk(value) if isinstance(node, cst.BaseString)):
        return text  # the lines of a string are its own
    return re.sub(r"(\r\n|\r|\n)(?=[^\r\n])", rf"\g<1>{syntax.module.default_indent}", text)


def _declaration(
    syntax: Syntax, owner: cst.ClassDef, name: str
) -> tuple[cst.AnnAssign | cst.Assign, cst.BaseExpression]:
    if not isinstance(owner.body, cst.IndentedBlock):
        raise Refused(f"the body of `{owner.name.value}` is on one line at {syntax.site(owner)}")
    found = [statement for statement in _body(owner) if _target(statement) == name]
    if len(found) != 1:
        raise Refused(f"`{name}` is not set once in the body of `{owner.name.value}` at {syntax.site(owner)}")
    statement = found[0]
    if isinstance(statement, cst.AnnAssign | cst.Assign) and statement.value is not None:
        return statement, statement.value
    raise Refused(f"`{name}` has no value at {syntax.site(statement)}")


def _body(owner: cst.ClassDef) -> Iterator[cst.BaseSmallStatement]:
    for line in owner.body.body:
        if isinstance(line, cst.SimpleStatementLine):
            yield from line.body


def _target(statement: cst.CSTNode) -> str:
    match statement:
        case (
            cst.AnnAssign(target=cst.Name(value=name))
            | cst.Assign(targets=[cst.AssignTarget(target=cst.Name(value=name))])
        ):
            return name
        case _:
            return ""


def _bases(owner: cst.ClassDef) -> set[str]:
    found = set()
    for base in owner.bases:
        node = base.value.value if isinstance(base.value, cst.Subscript) else base.value
        found.add(node.attr.value if isinstance(node, cst.Attribute) else getattr(node, "value", ""))
    return found | ({"metaclass"} if owner.keywords else set())


def _is_data_class(owner: cst.ClassDef) -> bool:
    for decorator in owner.decorators:
        node = decorator.decorator.func if isinstance(decorator.decorator, cst.Call) else decorator.decorator
        match node:
            case cst.Name(value="dataclass") | cst.Attribute(attr=cst.Name(value="dataclass")):
                return True
    return False


def _names_of_the_body(owner: cst.ClassDef) -> set[str]:
    return {_target(statement) for statement in _body(owner)} | {method.name.value for method in methods(owner)}


def _comment(syntax: Syntax, statement: cst.CSTNode) -> str:
    """The comment behind a statement that is alone on its line."""
    line = syntax.statement(statement)
    alone = isinstance(line, cst.SimpleStatementLine) and len(line.body) == 1
    if not alone or not isinstance(line, cst.SimpleStatementLine) or line.trailing_whitespace.comment is None:
        return ""
    return line.trailing_whitespace.comment.value


def _undeclared(syntax: Syntax, statement: cst.AnnAssign | cst.Assign) -> list[Edit]:
    """An annotation stays as the declaration of the attribute; without one the statement goes."""
    if isinstance(statement, cst.AnnAssign) and (type_ := _of_each(syntax, statement.annotation.annotation)):
        start = syntax.range(statement.annotation.annotation)[0]
        last = syntax.range(statement)[1]
        edits = list(syntax.replace(start, last, type_))
        return [*edits, *imports.unused(syntax, edits)]
    edits = list(syntax.rewrite({statement: REMOVE}))
    if not (comment := _comment(syntax, statement)):
        return edits
    line = syntax.statement(statement)  # its comment goes along
    kept = [edit for edit in edits if comment not in edit.replacement]
    return kept or list(syntax.replace(syntax.start_of_line(line), syntax.whole(line)[1], ""))


def _of_each(syntax: Syntax, annotation: cst.BaseExpression) -> str:
    """The type of an attribute that is the class's no more; empty where only that was said of it."""
    match annotation:
        case cst.Name(value="ClassVar") | cst.Attribute(attr=cst.Name(value="ClassVar")):
            return ""
        case cst.Subscript(
            value=cst.Name(value="ClassVar") | cst.Attribute(attr=cst.Name(value="ClassVar")), slice=[inner]
        ):
            return syntax.code(inner.slice)
        case _:
            return syntax.text[slice(*syntax.range(annotation))]


# --- what would break --------------------------------------------------------------------------------------------


def _refuse_uses_of_the_class(syntax: Syntax, owner: cst.ClassDef, name: str, files: Files) -> None:
    init = init_of(owner)
    if any(_target(statement) == "__slots__" for statement in _body(owner)):
        raise Refused(f"`{owner.name.value}` has `__slots__` at {syntax.site(owner)}")
    if init is not None and any(_is_set(node, name) for node in syntax.walk(init)):
        raise Refused(f"`__init__` already sets `{name}` at {syntax.site(init)}")
    derived = subclasses(owner.name.value, files)
    classes = {owner.name.value, *derived, "cls", "__class__"}
    for path, text in files.texts.items():
        if name not in text:
            continue
        there = files[path]
        for node in there.walk(there.module, cst.Attribute, cst.ClassDef):
            if isinstance(node, cst.Attribute) and node.attr.value == name and _receiver(node.value) in classes:
                raise Refused(f"`{name}` is used as an attribute of the class at {there.site(node)}")
            if isinstance(node, cst.ClassDef) and node.name.value in derived and name in _names_of_the_body(node):
                raise Refused(f"the subclass `{node.name.value}` has its own `{name}` at {there.site(node)}")
    for read in syntax.walk(owner.body, cst.Name):
        if read.value == name and _is_read_by_the_body(syntax, read):
            raise Refused(f"the class body reads `{name}` at {syntax.site(read)}")


def _is_read_by_the_body(syntax: Syntax, node: cst.Name) -> bool:
    above = syntax.parent(node)
    if function_of(syntax, node) is not None or isinstance(above, cst.AssignTarget | cst.Attribute | cst.Param):
        return False
    return not (isinstance(above, cst.AnnAssign) and above.target is node)


def _is_set(node: cst.CSTNode, name: str) -> bool:
    match node:
        case (
            cst.AssignTarget(target=cst.Attribute(attr=cst.Name(value=found)))
            | cst.AnnAssign(target=cst.Attribute(attr=cst.Name(value=found)))
        ):
            return found == name
        case _:
            return False


def _receiver(node: cst.BaseExpression) -> str:
    match node:
        case cst.Name(value=name) | cst.Attribute(attr=cst.Name(value=name)):
            return name
        case cst.Call(func=cst.Name(value="type")):
            return "cls"
        case _:
            return ""


# --- `__init__` --------------------------------------------------------------------------------------------------


def _into_init(syntax: Syntax, init: cst.FunctionDef, line: str) -> Edit:
    """The new line behind the docstring and behind the call of the base's `__init__`, where there are any."""
    params = (*init.params.posonly_params, *init.params.params)
    if not params or not isinstance(init.body, cst.IndentedBlock):
        raise Refused(f"`__init__` is written in an unusual way at {syntax.site(init)}")
    line = line.replace("self.", f"{params[0].name.value}.", 1)
    body = list(init.body.body)
    behind = [statement for statement in body[:1] if init.get_docstring(clean=False) is not None]
    behind += [statement for statement in body if "super().__init__(" in syntax.code(statement)][:1]
    indent = syntax.indent(body[0])
    if behind:
        end = syntax.whole(behind[-1])[1]
        ended = syntax.text[end - 1 : end] in ("\n", "\r")
        return syntax.insert(end, f"{indent}{line}{syntax.newline}" if ended else f"{syntax.newline}{indent}{line}")
    return syntax.insert(syntax.before_comments(syntax.statement(body[0])), f"{indent}{line}{syntax.newline}")


def _new_init(syntax: Syntax, owner: cst.ClassDef, line: str) -> str:
    newline, inner = syntax.newline, syntax.module.default_indent
    indent = syntax.indent(owner.body.body[0])
    typed = " -> None" if any(method.returns is not None for method in methods(owner)) else ""
    head = f"def __init__(self){typed}:"
    if _bases(owner) - _PLAIN_BASES:
        head = f"def __init__(self, *args, **kwargs){typed}:{newline}{indent}{inner}super().__init__(*args, **kwargs)"
    return f"{indent}{head}{newline}{indent}{inner}{line}{newline}"


def _placed(syntax: Syntax, owner: cst.ClassDef, code: str) -> Edit:
    """The new method before the first one, or at the end of the class."""
    newline = syntax.newline
    first = next(methods(owner), None)
    if first is not None:
        return syntax.insert(syntax.before_comments(first), f"{code}{newline}")
    end = syntax.whole(owner.body.body[-1])[1]
    ended = syntax.text[end - 1 : end] in ("\n", "\r")
    return syntax.insert(end, f"{newline}{code}" if ended else f"{newline}{newline}{code}")
