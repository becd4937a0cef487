"""A thread-local that is one module's own, to a ContextVar for each of its attributes.

All uses must be in its file and be plain reads, stores, `getattr` and `hasattr` with a constant name, and none may run
in a thread pool, where a ContextVar that is set is not seen by the caller; else Refused.
"""

from __future__ import annotations

import libcst as cst

from leaklint.codemods import Refused, imports, offer
from leaklint.codemods.calls import last_name
from leaklint.codemods.scope import free_name, names_in
from leaklint.finding import Edit, Fix, Safety
from leaklint.project.suspect import ThreadLocalSuspect
from leaklint.syntax import Syntax


def to_context_variables(syntax: Syntax, suspect: ThreadLocalSuspect) -> Fix:
    """Replace the thread-local by context variables, one an attribute."""
    return offer("Keep it in a ContextVar", Safety.SAFE, lambda: _converted(syntax, suspect))


def _converted(syntax: Syntax, suspect: ThreadLocalSuspect) -> list[Edit]:
    if suspect.pool:
        raise Refused(f"`{suspect.name}` is also set in a thread pool, where a ContextVar is a copy")
    made = _declaration(syntax, suspect)
    local = suspect.name.partition(".")[0]
    replaced: dict[cst.CSTNode, str] = {}
    variables: dict[str, str] = {}
    taken = names_in(syntax, syntax.module)
    for use in suspect.uses:
        if use.span.path != syntax.path:
            raise Refused(f"`{local}` is also used at {use.span.path}:{use.span.line}")
        node = syntax.node_at(use.span)
        if syntax.holds(made, node):
            continue
        attribute, place, form = _site(syntax, node, local)
        if attribute not in variables:
            variables[attribute] = free_name(f"{local}_{attribute}", {*taken, *variables.values()})
        replaced[place] = form.format(variables[attribute])
    here, imported = imports.member(syntax, "contextvars", "ContextVar")
    if any(_CONTEXT in text for text in replaced.values()):
        context, also = imports.member(syntax, "contextvars", "copy_context")
        imported = [*imported, *also]
        replaced = {node: text.replace(_CONTEXT, f"{context}()") for node, text in replaced.items()}
    lines = [f'{name} = {here}("{name}")' for name in variables.values()]
    replaced[made] = syntax.newline.join(lines)
    edits = [*imported, *syntax.rewrite(replaced)]
    return [*edits, *imports.unused(syntax, edits)]


_CONTEXT = "<context>"  # stands for the current context until its import is known


def _declaration(syntax: Syntax, suspect: ThreadLocalSuspect) -> cst.Assign:
    call = syntax.node_at(suspect.created)
    made = syntax.parent(call)
    if not isinstance(made, cst.Assign) or len(made.targets) != 1 or not isinstance(made.targets[0].target, cst.Name):
        raise Refused(f"the thread-local is not made under one name at {syntax.site(call)}")
    if isinstance(call, cst.Call) and last_name(call.func) != "local":
        raise Refused(f"`{syntax.code(call.func)}` is a class of its own at {syntax.site(call)}")
    if not isinstance(call, cst.Call) or call.args or not isinstance(syntax.parent(syntax.statement(call)), cst.Module):
        raise Refused(f"the thread-local is not made at module level at {syntax.site(call)}")
    return made


def _site(syntax: Syntax, node: cst.CSTNode, local: str) -> tuple[str, cst.CSTNode, str]:
    """The attribute that is used, the node to replace, and by what; `{}` stands for the variable."""
    above = syntax.parent(node)
    if isinstance(above, cst.Arg):
        return _by_getattr(syntax, above, local)
    if not isinstance(above, cst.Attribute) or above.value is not node:
        raise Refused(f"`{local}` is passed on at {syntax.site(node)}")
    name, holder = above.attr.value, syntax.parent(above)
    if isinstance(holder, cst.AssignTarget):
        assign = syntax.parent(holder)
        if not isinstance(assign, cst.Assign) or len(assign.targets) != 1:
            raise Refused(f"more than `{local}.{name}` is set at {syntax.site(above)}")
        return name, assign, f"{{}}.set({_escaped(_whole(syntax, assign.value))})"
    if isinstance(holder, cst.Subscript) and isinstance(syntax.parent(holder), _TARGET):
        raise Refused(f"`{local}.{name}` is changed in place at {syntax.site(above)}")
    if _is_target(syntax, above):
        raise Refused(f"`{local}.{name}` is not plainly set at {syntax.site(above)}")
    if name.startswith("__"):
        raise Refused(f"`{local}.{name}` is used at {syntax.site(above)}")
    _refuse_handled(syntax, above, local)
    return name, above, "{}.get()"


_TARGET = cst.AssignTarget | cst.AugAssign | cst.AnnAssign | cst.Del
_PARTS = cst.Tuple | cst.List | cst.Element | cst.StarredElement


def _is_target(syntax: Syntax, node: cst.CSTNode) -> bool:
    """Whether a place gets a value in any way but by an assignment to it alone."""
    inner, above = node, syntax.parent(node)
    while isinstance(above, _PARTS):
        inner, above = above, syntax.parent(above)
    if isinstance(above, cst.For | cst.CompFor | cst.AugAssign | cst.AnnAssign):
        return above.target is inner
    return isinstance(above, cst.AssignTarget | cst.Del | cst.AsName)


def _by_getattr(syntax: Syntax, first: cst.Arg, local: str) -> tuple[str, cst.CSTNode, str]:
    match syntax.parent(first):
        case (
            cst.Call(
                func=cst.Name(value="getattr"), args=[one, cst.Arg(value=cst.SimpleString() as text), *rest]
            ) as call
        ) if one is first and len(rest) < 2:
            default = _escaped(syntax.code(rest[0].value)) if rest else ""
            return str(text.evaluated_value), call, f"{{}}.get({default})"
        case (
            cst.Call(func=cst.Name(value="hasattr"), args=[one, cst.Arg(value=cst.SimpleString() as text)]) as call
        ) if one is first:
            above = syntax.parent(call)
            if isinstance(above, cst.UnaryOperation) and isinstance(above.operator, cst.Not):
                return str(text.evaluated_value), above, f"{{}} not in {_CONTEXT}"
            if isinstance(above, cst.BaseExpression | cst.ComparisonTarget) and not call.lpar:
                return str(text.evaluated_value), call, f"({{}} in {_CONTEXT})"
            return str(text.evaluated_value), call, f"{{}} in {_CONTEXT}"
        case _:
            raise Refused(f"`{local}` is passed on at {syntax.site(first)}")


def _refuse_handled(syntax: Syntax, node: cst.CSTNode, local: str) -> None:
    """A read that counts on AttributeError would get LookupError."""
    attempt = syntax.enclosing(node, cst.Try)
    if attempt is not None and any("AttributeError" in syntax.code(h) for h in attempt.handlers):
        raise Refused(f"AttributeError of `{local}` is caught at {syntax.site(attempt)}")


def _whole(syntax: Syntax, node: cst.BaseExpression) -> str:
    start, end = syntax.whole(node)
    return syntax.text[start:end]


def _escaped(code: str) -> str:
    return code.replace("{", "{{").replace("}", "}}")
