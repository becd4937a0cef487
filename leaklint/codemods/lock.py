"""A look-up and the write that depends on it to one step: `setdefault`, or both under one lock for each key.

Which two belong together, and that nothing else is held over them, is for the rule to know.
"""

from __future__ import annotations

import re

import libcst as cst

from leaklint.codemods import Refused, imports, offer
from leaklint.codemods.blocks import wrapped
from leaklint.codemods.own_variable import is_plain
from leaklint.codemods.scope import function_of, methods
from leaklint.finding import Edit, Fix, Safety, Span
from leaklint.syntax import Statement, Syntax

_NAME = re.compile(r"(?<![\w.])[A-Za-z_]\w*")  # of an expression; attributes are none
_CALLED = re.compile(r"(\w+)\(")


def use_setdefault(syntax: Syntax, look_up: Span, act: Span) -> Fix:
    """`if key not in items: items[key] = value` to `items.setdefault(key, value)`; `look_up` is the test.

    It stays where the value takes more than a new empty collection.
    """
    return offer("Use `setdefault`", Safety.SUGGESTED, lambda: _setdefault(syntax, look_up, act))


def hold_lock(syntax: Syntax, look_up: Span, act: Span, place: str, key: str) -> Fix:
    """Hold an `asyncio.Lock` from the statement of the look-up to that of the write, one for each key if there is one.

    Args:
        syntax: the file of both.
        look_up: an expression in a coroutine.
        act: a statement or call behind it, in the same function.
        place: the map or attribute as the code writes it: `self._sessions`, or a module-level name.
        key: the expression of the key; empty when there is none, or it is said by the look-up alone.
    """
    key = key or _member(syntax, look_up, place)
    each = f"one lock for each `{key}`" if key else "a lock"
    title = f"Hold {each} over the look-up and the write"
    return offer(title, Safety.SUGGESTED, lambda: _locked(syntax, look_up, act, place, key))


def _member(syntax: Syntax, look_up: Span, place: str) -> str:
    """What is looked for, where the look-up asks whether a collection holds it."""
    match syntax.node_at(look_up):
        case cst.Comparison(
            left=left, comparisons=[cst.ComparisonTarget(operator=cst.In() | cst.NotIn(), comparator=items)]
        ) if syntax.code(items) == place:
            return syntax.code(left)
        case _:
            return ""


# --- setdefault -------------------------------------------------------------------------------------------------------


def _setdefault(syntax: Syntax, look_up: Span, act: Span) -> list[Edit]:
    test = syntax.node_at(look_up)
    branch = syntax.statement(test)
    match branch:
        case cst.If(
            test=cst.Comparison(left=key, comparisons=[cst.ComparisonTarget(operator=cst.NotIn(), comparator=items)]),
            body=cst.IndentedBlock(body=[cst.SimpleStatementLine(body=[cst.Assign() as store])]),
            orelse=None,
        ) if branch.test is test:
            pass
        case _:
            raise Refused(f"more than one insert depends on the look-up at {syntax.site(test)}")
    target = store.targets[0].target
    if len(store.targets) != 1 or syntax.code(target) != f"{syntax.code(items)}[{syntax.code(key)}]":
        raise Refused(f"something else is stored at {syntax.site(store)}")
    start, end = syntax.range(branch)
    if syntax.span(store).line != act.line:
        raise Refused(f"something else is stored at {syntax.site(store)}")
    if "#" in syntax.text[start:end] and is_plain(syntax, store.value):
        raise Refused(f"there is a comment in the branch at {syntax.site(branch)}")
    text = f"{syntax.code(items)}.setdefault({syntax.code(key)}, {syntax.code(store.value)})"
    if not is_plain(syntax, store.value):
        start = syntax.range(store)[0]  # the test stays, so that the value is made only where there may be none
    return list(syntax.replace(start, syntax.range(store)[1], text))


# --- a lock for each key ----------------------------------------------------------------------------------------------


def _locked(syntax: Syntax, look_up: Span, act: Span, place: str, key: str) -> list[Edit]:
    test = syntax.node_at(look_up)
    function = function_of(syntax, test)
    if function is None or function.asynchronous is None:
        raise Refused(f"the look-up is in no coroutine at {syntax.site(test)}")
    first, last = _range(syntax, function, test, act)
    if not set(_NAME.findall(key)).isdisjoint(_bound_in(syntax, first, last)):
        raise Refused(f"`{key}` is not known before {syntax.site(first)}")
    made = _creation(syntax, function, place)
    _refuse_callees(syntax, first, last, place)
    asyncio, first_edits = imports.module(syntax, "asyncio")
    locks, taken, made_of, second_edits = _lock(syntax, made, place, key, asyncio)
    line = f"{syntax.indent(made)}{locks}{made_of}{syntax.newline}"
    if line.strip() in syntax.text:
        return wrapped(syntax, first, last, f"async with {taken}:")  # made for another look-up
    if locks in syntax.text:
        raise Refused(f"`{locks}` is the name of something else in {syntax.path}")
    return [
        *first_edits,
        *second_edits,
        syntax.insert(_end_of_line(syntax, made), line),
        *wrapped(syntax, first, last, f"async with {taken}:"),
    ]


def _lock(
    syntax: Syntax, made: cst.SimpleStatementLine, place: str, key: str, asyncio: str
) -> tuple[str, str, str, list[Edit]]:
    """The name of the lock or locks, how one is taken, how they are made, and the imports for that.

    Locks of keys are kept as long as somebody holds them or waits, so that they do not grow in number.
    """
    if not key:
        return f"{place}_lock", f"{place}_lock", f" = {asyncio}.Lock()", []
    weak, edits = imports.member(syntax, "weakref", "WeakValueDictionary")
    typed = _key_type(syntax, made)
    annotation = f": {weak}[{typed}, {asyncio}.Lock]" if typed else ""
    taken = f"{place}_locks.setdefault({key}, {asyncio}.Lock())"
    return f"{place}_locks", taken, f"{annotation} = {weak}()", edits


def _refuse_callees(syntax: Syntax, first: Statement, last: Statement, place: str) -> None:
    """Raise Refused where code under the lock calls code that uses the map, and may wait for the same lock."""
    start, end = syntax.range(first)[0], syntax.range(last)[1]
    called = set(_CALLED.findall(re.sub(rf"{re.escape(place)}\.\w+\(", "(", syntax.text[start:end])))
    for node in syntax.walk(syntax.module, cst.FunctionDef):
        if node.name.value in called and place in syntax.code(node):
            raise Refused(
                f"`{node.name.value}` at {syntax.site(node)} uses `{place}` too, and may wait for the same lock"
            )


def _range(syntax: Syntax, function: cst.FunctionDef, test: cst.CSTNode, act: Span) -> tuple[Statement, Statement]:
    """The statement of the look-up, and the one of its block that holds the write."""
    first = syntax.statement(test)
    block = syntax.parent(first)
    inside = [s for s in getattr(block, "body", ()) if syntax.span(s).line <= act.line <= syntax.span(s).end_line]
    if (
        not isinstance(block, cst.IndentedBlock)
        or not inside
        or syntax.enclosing(first, cst.FunctionDef) is not function
    ):
        raise Refused(f"the write is not behind the look-up at {syntax.site(first)}")
    return first, inside[-1]


def _bound_in(syntax: Syntax, first: Statement, last: Statement) -> set[str]:
    found: set[str] = set()
    start, end = syntax.range(first)[0], syntax.range(last)[1]
    for node in syntax.walk(syntax.module, cst.AssignTarget):
        if isinstance(node.target, cst.Name) and start <= syntax.range(node)[0] < end:
            found.add(node.target.value)
    return found


def _creation(syntax: Syntax, function: cst.FunctionDef, place: str) -> cst.SimpleStatementLine:
    """The line that makes the map: in the initialiser of the class, or of the module."""
    owner = syntax.enclosing(function, cst.ClassDef)
    if place.startswith("self.") and owner is not None:
        bodies = [m.body for m in methods(owner) if m.name.value == "__init__"]
    else:
        bodies = [syntax.module] if place.isidentifier() else []  # type: ignore[list-item]
    for body in bodies:
        for statement in body.body:
            match statement:
                case cst.SimpleStatementLine(
                    body=[cst.AnnAssign(target=target) | cst.Assign(targets=[cst.AssignTarget(target=target)])]
                ) if syntax.code(target) == place:
                    return statement
    raise Refused(f"`{place}` is not made where a lock could be made beside it")


def _key_type(syntax: Syntax, made: cst.SimpleStatementLine) -> str:
    match made.body[0]:
        case cst.AnnAssign(annotation=cst.Annotation(annotation=cst.Subscript(slice=[first, *_]))):
            return syntax.code(first.slice)
        case _:
            return ""


def _end_of_line(syntax: Syntax, statement: Statement) -> int:
    end = syntax.whole(statement)[1]
    if syntax.text[end - 1 : end] not in ("\n", "\r"):
        raise Refused(f"the file ends with {syntax.site(statement)}")
    return end
