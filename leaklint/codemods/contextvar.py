"""A ContextVar whose default all contexts share to one that makes an object of its own for each context.

Only where every use of the variable is a `get`, `set` or `reset` by its own name; else Refused.
"""

from __future__ import annotations

import re

import libcst as cst

from leaklint.codemods import Refused, imports, offer
from leaklint.codemods.own_variable import EMPTY
from leaklint.codemods.scope import free_name, names_in
from leaklint.finding import Edit, Fix, Safety
from leaklint.project.suspect import ContextVarSuspect
from leaklint.syntax import Files, Syntax

_KEPT = ("set", "reset", "name")
_LOCK = re.compile(r"\b((?:R|Bounded)?(?:Lock|Semaphore)|Condition|Barrier)\(")


def own_default(syntax: Syntax, suspect: ContextVarSuspect, files: Files) -> Fix:
    """Make the default None, and read the variable through a function that sets a new object where there is none."""
    title = f"Make a new `{suspect.default or 'object'}` for each context"
    empty = EMPTY.fullmatch(suspect.default) is not None
    safety = Safety.SAFE if empty else Safety.SUGGESTED  # what an object is to those who share it is not known
    return offer(title, safety, lambda: _converted(syntax, suspect, files, empty=empty))


def _converted(syntax: Syntax, suspect: ContextVarSuspect, files: Files, *, empty: bool) -> list[Edit]:
    if suspect.default_span is None:
        raise Refused(f"the default of `{suspect.name}` is made elsewhere")
    statement = _declaration(syntax, suspect)
    if not empty:
        _refuse_meant_for_all(syntax, suspect, files)
    by_file = _reads(syntax, suspect, statement, files)
    getter = free_name(f"get_{suspect.name.strip('_').lower()}", set().union(*(_names(there) for there in by_file)))
    held = _held_type(syntax, statement)
    replaced: dict[cst.CSTNode, str] = {syntax.node_at(suspect.default_span): "None"}
    replaced |= dict.fromkeys(by_file[syntax], f"{getter}()")
    if held is not None:
        replaced[held] = f"{syntax.code(held)} | None"
    returns = "" if held is None else f" -> {syntax.code(held)}"
    edits = [*syntax.rewrite(replaced), _function(syntax, statement, suspect, f"def {getter}(){returns}:")]
    for there, reads in by_file.items():
        if there is not syntax and reads:
            source = imports.full_name(there, suspect.name).rpartition(".")[0]
            rewritten = there.rewrite(dict.fromkeys(reads, f"{getter}()"))
            spare = imports.unused_names(there, rewritten)
            edits += [*rewritten, *imports.member(there, source, getter, spare)[1]]
    return edits


def _refuse_meant_for_all(syntax: Syntax, suspect: ContextVarSuspect, files: Files) -> None:
    """Raise Refused where the object is one for those who have no other, or makes them wait for one another."""
    for use in suspect.uses:
        there = files[use.span.path]
        name = there.node_at(use.span)
        match there.parent(name):
            case cst.Attribute(attr=cst.Name(value="set")) as method if method.value is name:
                raise Refused(f"the default is for all that set no other: {there.site(name)}")
    default = suspect.default.partition("(")[0].rpartition(".")[2]
    for path, _ in files.with_word(f"class {default}"):
        there = files[path]
        for node in there.walk(there.module, cst.ClassDef):
            if node.name.value == default and (lock := _LOCK.search(there.code(node))):
                raise Refused(f"`{default}` makes a `{lock[1]}`, for which it must be shared: {there.site(node)}")


def _names(syntax: Syntax) -> set[str]:
    return names_in(syntax, syntax.module)


def _declaration(syntax: Syntax, suspect: ContextVarSuspect) -> cst.SimpleStatementLine:
    statement = syntax.statement(syntax.node_at(suspect.span))
    if not isinstance(syntax.parent(statement), cst.Module) or not isinstance(statement, cst.SimpleStatementLine):
        raise Refused(f"`{suspect.name}` is not made at module level at {syntax.site(statement)}")
    if len(statement.body) != 1:
        raise Refused(f"more is made in one line at {syntax.site(statement)}")
    return statement


def _reads(
    syntax: Syntax, suspect: ContextVarSuspect, declaration: cst.SimpleStatementLine, files: Files
) -> dict[Syntax, list[cst.Call]]:
    """The calls `name.get()` of each file, all of which are to be replaced."""
    found: dict[Syntax, list[cst.Call]] = {syntax: []}
    for use in suspect.uses:
        there = syntax if use.span.path == syntax.path else files[use.span.path]
        name = there.node_at(use.span)
        method = there.parent(name)
        call = there.parent(method) if method is not None else None
        if _imports(there.statement(name)):
            continue
        if there is syntax and syntax.holds(declaration, name):
            continue
        if not isinstance(method, cst.Attribute) or not isinstance(name, cst.Name) or method.value is not name:
            raise Refused(f"`{suspect.name}` is passed on at {there.site(name)}")
        if there is not syntax and not imports.full_name(there, suspect.name).endswith(f".{suspect.name}"):
            raise Refused(f"`{suspect.name}` is not imported by its name at {there.site(name)}")
        if method.attr.value == "get" and isinstance(call, cst.Call) and call.func is method and not call.args:
            found.setdefault(there, []).append(call)
        elif method.attr.value not in _KEPT:
            raise Refused(f"`{suspect.name}` is read with a default of its own at {there.site(name)}")
    return found


def _imports(statement: cst.CSTNode) -> bool:
    if not isinstance(statement, cst.SimpleStatementLine):
        return False
    return any(isinstance(small, cst.Import | cst.ImportFrom) for small in statement.body)


def _held_type(syntax: Syntax, statement: cst.SimpleStatementLine) -> cst.BaseExpression | None:
    """`T` of `name: ContextVar[T] = ...` or of `name = ContextVar[T](...)`."""
    small = statement.body[0]
    annotated: cst.BaseExpression | None = None
    if isinstance(small, cst.AnnAssign):
        annotated = small.annotation.annotation
    elif isinstance(small, cst.Assign) and isinstance(small.value, cst.Call):
        annotated = small.value.func
    match annotated:
        case cst.Subscript(slice=[cst.SubscriptElement(slice=cst.Index(value=held))]):
            return held
        case _:
            return None


def _function(syntax: Syntax, statement: cst.SimpleStatementLine, suspect: ContextVarSuspect, head: str) -> Edit:
    step = syntax.module.default_indent
    lines = [
        "",
        "",
        head,
        f"{step}value = {suspect.name}.get()",
        f"{step}if value is None:",
        f"{step}{step}value = {suspect.default}",
        f"{step}{step}{suspect.name}.set(value)",
        f"{step}return value",
    ]
    body = list(syntax.module.body)
    behind = body[body.index(statement) + 1 :]
    blank = len([line for line in behind[0].leading_lines if line.comment is None]) if behind else 2
    lines += [""] * max(0, 2 - blank)
    return syntax.insert(syntax.whole(statement)[1], "".join(f"{line}{syntax.newline}" for line in lines))
