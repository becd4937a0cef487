"""What is set on a client, to what is passed with the calls that the function makes with it.

Refused unless all functions that make calls set it: other calls would no longer send what they rely on.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import libcst as cst

from leaklint.codemods import Refused, offer
from leaklint.codemods.pass_argument import entry, keyword
from leaklint.codemods.scope import function_of, names_in
from leaklint.finding import Edit, Fix, Safety, Span
from leaklint.project.suspect import Use, WriteSuspect
from leaklint.syntax import REMOVE, Replacement, Statement, Syntax

_MAPPINGS = ("headers", "cookies", "params")
_VALUES = ("auth",)
_PLAIN = (
    cst.Name,
    cst.Attribute,
    cst.Subscript,
    cst.SimpleString,
    cst.FormattedString,
    cst.Tuple,
    cst.BinaryOperation,
)


class _Set(NamedTuple):
    """One statement that sets something on the client."""

    statement: Statement
    client: str  # as the code writes it
    argument: str  # the keyword that passes it with a call
    key: str  # the bare text of the entry's key; empty for what is no mapping
    value: cst.BaseExpression


def send_with_call(syntax: Syntax, suspect: WriteSuspect, sends: Callable[[str], bool]) -> Fix:
    """Pass it with each call behind the statement that sets it now; `sends` says which methods take such arguments."""
    part = (suspect.place.path[0] if suspect.place.path else suspect.place.slot).lstrip(".")
    return offer(f"Pass `{part}` with the call", Safety.SAFE, lambda: _passed(syntax, suspect, sends))


def _passed(syntax: Syntax, suspect: WriteSuspect, sends: Callable[[str], bool]) -> list[Edit]:
    _refuse_others(suspect)
    by_function: dict[cst.FunctionDef, list[_Set]] = {}
    for span in dict.fromkeys((suspect.span, *(use.span for use in suspect.siblings))):
        for one in _set(syntax, span):
            function = function_of(syntax, one.statement)
            if function is None:
                raise Refused(f"it is set when nothing is asked for yet at {syntax.site(one.statement)}")
            by_function.setdefault(function, []).append(one)
    edits: list[Edit] = []
    gone: dict[cst.CSTNode, Replacement] = {}
    for function, found in by_function.items():
        first = found[0]
        if any((f.client, f.argument) != (first.client, first.argument) for f in found):
            raise Refused(f"it is set in several ways at {syntax.site(first.statement)}")
        calls = _calls(syntax, function, first, sends)
        for one in found:
            _refuse_branches(syntax, one, calls)
            _refuse_changes(syntax, function, one)
        edits += [edit for call in calls for edit in _with(syntax, call, found)]
        gone |= {one.statement: REMOVE for one in found}
    return [*edits, *syntax.rewrite(gone)]


def _refuse_others(suspect: WriteSuspect) -> None:
    """A function that uses the client and does not set it itself may rely on what another one has set."""
    setting = {suspect.function, *(use.function for use in suspect.siblings)}
    outside: list[Use] = [use for use in suspect.siblings if use.span.path != suspect.span.path]
    outside += suspect.resets
    outside += [use for use in suspect.uses if use.function not in setting and not _is_making(use)]
    if outside:
        raise Refused(f"the client is used at {outside[0].span.path}:{outside[0].span.line} too")


def _is_making(use: Use) -> bool:
    """Whether the client is made there: at module level or in an initialiser."""
    return use.access.value == "store"


def _set(syntax: Syntax, span: Span) -> list[_Set]:
    """What a statement sets: one entry or value, or all entries of a dict that is written out."""
    node = syntax.node_at(span)
    statement = syntax.statement(node)
    match statement:
        case cst.SimpleStatementLine(body=[cst.Assign(targets=[cst.AssignTarget(target=target)], value=value)]):
            pass
        case cst.SimpleStatementLine(
            body=[
                cst.Expr(
                    value=cst.Call(
                        func=cst.Attribute(
                            value=cst.Attribute(value=client, attr=cst.Name(value=part)),
                            attr=cst.Name(value="update"),
                        ),
                        args=[cst.Arg(value=cst.Dict(elements=elements), keyword=None, star="")],
                    )
                )
            ]
        ) if part in _MAPPINGS:
            entries = [_entry(one) for one in elements]
            if entries and all(entries):
                return [_Set(statement, syntax.code(client), part, *one) for one in entries if one]
            raise Refused(f"what it is updated with is not written out at {syntax.site(node)}")
        case _:
            raise Refused(f"it is set in another way than by an assignment at {syntax.site(node)}")
    match target:
        case cst.Subscript(
            value=cst.Attribute(value=client, attr=cst.Name(value=part)),
            slice=[cst.SubscriptElement(slice=cst.Index(value=cst.SimpleString() as key))],
        ) if part in _MAPPINGS:
            text = key.evaluated_value
            if isinstance(text, str):
                return [_Set(statement, syntax.code(client), part, text, value)]
        case cst.Attribute(value=client, attr=cst.Name(value=part)) if part in _VALUES:
            return [_Set(statement, syntax.code(client), part, "", value)]
    raise Refused(f"it is no single header under a constant name at {syntax.site(node)}")


def _entry(element: cst.BaseDictElement) -> tuple[str, cst.BaseExpression] | None:
    match element:
        case cst.DictElement(key=cst.SimpleString() as key, value=value) if isinstance(key.evaluated_value, str):
            return key.evaluated_value, value
        case _:
            return None


def _calls(syntax: Syntax, function: cst.FunctionDef, first: _Set, sends: Callable[[str], bool]) -> list[cst.Call]:
    """The calls that the function makes with the client behind the statement."""
    calls: list[cst.Call] = []
    for node in syntax.walk(function.body):
        if not isinstance(node, cst.Name | cst.Attribute) or syntax.code(node) != first.client:
            continue
        if _is_set(syntax, node) or _is_part(syntax, node):
            continue
        call = _call(syntax, node, sends)
        if call is None:
            raise Refused(f"the client is used in another way at {syntax.site(node)}")
        if function_of(syntax, call) is not function:
            raise Refused(f"a function inside of it makes the call at {syntax.site(call)}")
        if syntax.range(call)[0] > syntax.range(first.statement)[1]:
            calls.append(call)
    if not calls:
        raise Refused(f"no call with the client follows in the function at {syntax.site(first.statement)}")
    return calls


def _is_part(syntax: Syntax, node: cst.CSTNode) -> bool:
    """Whether the node is the last name of a longer one: `client` in `other.client`."""
    above = syntax.parent(node)
    return isinstance(above, cst.Attribute) and above.value is not node


def _call(syntax: Syntax, client: cst.CSTNode, sends: Callable[[str], bool]) -> cst.Call | None:
    """The call of a sending method on the client."""
    method = syntax.parent(client)
    call = syntax.parent(method) if isinstance(method, cst.Attribute) and sends(method.attr.value) else None
    return call if isinstance(call, cst.Call) and call.func is method else None


def _is_set(syntax: Syntax, node: cst.CSTNode) -> bool:
    """Whether the client is named to set something on it."""
    return any(isinstance(above, cst.AssignTarget) or _is_update(above) for above in syntax.ancestors(node))


def _is_update(node: cst.CSTNode) -> bool:
    match node:
        case cst.Call(
            func=cst.Attribute(value=cst.Attribute(attr=cst.Name(value=part)), attr=cst.Name(value="update"))
        ):
            return part in _MAPPINGS
        case _:
            return False


def _refuse_branches(syntax: Syntax, one: _Set, calls: Sequence[cst.Call]) -> None:
    block = syntax.parent(one.statement)
    for call in calls:
        if block is None or not syntax.holds(block, call) or syntax.range(call)[0] < syntax.range(one.statement)[0]:
            raise Refused(f"the call at {syntax.site(call)} is made without it too")


def _refuse_changes(syntax: Syntax, function: cst.FunctionDef, one: _Set) -> None:
    """The value must be the same where the calls are made, and evaluating it there must do nothing else."""
    for node in syntax.walk(one.value):
        if isinstance(node, cst.BaseExpression) and isinstance(node, cst.Call | cst.Await | cst.NamedExpr | cst.Yield):
            raise Refused(f"the value is the result of a call at {syntax.site(one.statement)}")
    if not isinstance(one.value, _PLAIN):
        raise Refused(f"the value is no plain expression at {syntax.site(one.statement)}")
    names = names_in(syntax, one.value)
    behind = syntax.range(one.statement)[1]
    for node in syntax.walk(function.body):
        if isinstance(node, cst.AssignTarget | cst.AugAssign | cst.AnnAssign | cst.For | cst.NamedExpr):
            target = node.target
            if syntax.range(target)[0] > behind and isinstance(target, cst.Name) and target.value in names:
                raise Refused(f"`{target.value}` is set anew at {syntax.site(target)}")


def _with(syntax: Syntax, call: cst.Call, found: Sequence[_Set]) -> list[Edit]:
    one = found[0]
    if not one.key:
        return keyword(syntax, call, one.argument, syntax.code(found[-1].value))
    if len(found) == 1:
        return entry(syntax, call, one.argument, one.key, syntax.code(one.value))
    items = ", ".join(f'"{f.key}": {syntax.code(f.value)}' for f in found)
    return keyword(syntax, call, one.argument, f"{{{items}}}")
