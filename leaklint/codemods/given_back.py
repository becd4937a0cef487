"""A listener to the edits that have it give back one more value, behind those that its page already takes.

Every `return` and `yield` must be written out as far as the page takes it apart; else it is refused.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

import libcst as cst

from leaklint.codemods import Refused, flow, listing
from leaklint.codemods.calls import last_name
from leaklint.codemods.scope import function_of
from leaklint.finding import Edit
from leaklint.syntax import Syntax

_STREAMS = frozenset({"Iterator", "Iterable", "Generator", "AsyncIterator", "AsyncIterable", "AsyncGenerator"})
_JUMPS = (cst.Return, cst.Break, cst.Continue, cst.Raise)


def given_back(
    syntax: Syntax,
    function: cst.FunctionDef,
    name: str,
    type_: str,
    taken: Collection[int],
    stores: Sequence[cst.CSTNode],
) -> list[Edit]:
    """Edits that give back the variable `name` as well.

    Args:
        syntax: the file.
        function: the listener.
        name: of the variable.
        type_: its type, as an annotation; empty when it is not known.
        taken: how many values each registration takes now; they must agree.
        stores: where the function binds the variable.

    Raises Refused.
    """
    if len(set(taken)) != 1:
        raise Refused(f"`{function.name.value}` gives back as many values as nobody knows: {syntax.site(function)}")
    count = next(iter(taken))
    _refuse_mappings(syntax, function)
    yields = [node for node in _own(syntax, function) if isinstance(node, cst.Yield)]
    edits: list[Edit] = []
    for one in yields:
        if isinstance(one.value, cst.From) or not isinstance(syntax.parent(one), cst.Expr):
            raise Refused(f"what it gives is not written out at {syntax.site(one)}")
        edits += _with(syntax, one, one.value, "yield", count, name)
    if yields:
        _refuse_late_stores(syntax, function, stores)
        return [*edits, *_typed(syntax, function, count, type_, stream=True)]
    for node in _own(syntax, function):
        if isinstance(node, cst.Return):
            edits += _with(syntax, node, node.value, "return", count, name)
    if flow.comes_to_its_end(syntax, function):
        edits.append(_at_the_end(syntax, function, count, name))
    return [*edits, *_typed(syntax, function, count, type_, stream=False)]


def _own(syntax: Syntax, function: cst.FunctionDef) -> Iterator[cst.CSTNode]:
    return (node for node in syntax.walk(function.body) if function_of(syntax, node) is function)


def _refuse_mappings(syntax: Syntax, function: cst.FunctionDef) -> None:
    """Values may be given back under the components that take them."""
    for node in _own(syntax, function):
        if isinstance(node, cst.DictElement) and isinstance(node.key, cst.Name | cst.Attribute):
            raise Refused(f"what it gives back may be a mapping at {syntax.site(node)}")


def _refuse_late_stores(syntax: Syntax, function: cst.FunctionDef, stores: Sequence[cst.CSTNode]) -> None:
    """What a generator binds behind its last `yield` would be lost."""
    for store in stores:
        inner: cst.CSTNode = syntax.statement(store)
        while inner is not function and not _is_given_behind(syntax, inner):
            inner = syntax.parent(inner) or function
        if inner is function:
            raise Refused(f"nothing is given back for certain behind {syntax.site(store)}")


def _is_given_behind(syntax: Syntax, statement: cst.CSTNode) -> bool:
    """Whether a `yield` follows in the same block, and nothing that could lead elsewhere before it."""
    block = syntax.parent(statement)
    if not isinstance(block, cst.IndentedBlock):
        return False
    body = list(block.body)
    for one in body[body.index(statement) + 1 :]:  # type: ignore[arg-type]  # it is one of them
        if isinstance(one, cst.SimpleStatementLine) and any(_is_yield(small) for small in one.body):
            return True
        if any(isinstance(node, _JUMPS) for node in syntax.walk(one)):
            return False
    return False


def _is_yield(small: cst.BaseSmallStatement) -> bool:
    return isinstance(small, cst.Expr) and isinstance(small.value, cst.Yield)


def _with(
    syntax: Syntax,
    node: cst.Return | cst.Yield,
    value: cst.BaseExpression | None,
    word: str,
    count: int,
    name: str,
) -> list[Edit]:
    """Edits of one `return` or `yield`."""
    nothing = value is None or (isinstance(value, cst.Name) and value.value == "None")
    start, end = syntax.range(node)
    if nothing and count < 2:
        new = f"{word} {name}" if count == 0 else f"{word} None, {name}"
        return list(syntax.replace(start, end, new))
    if value is None or count == 0:
        raise Refused(f"it gives back what nothing takes at {syntax.site(node)}")
    if count == 1:
        start, end = syntax.whole(value)
        bare = (isinstance(value, cst.Tuple) and not value.lpar) or (isinstance(value, cst.Lambda) and not value.lpar)
        opening = [syntax.insert(start, "(")] if bare else []
        return [*opening, syntax.insert(end, f"), {name}" if bare else f", {name}")]
    if not isinstance(value, cst.Tuple | cst.List) or len(value.elements) != count:
        raise Refused(f"what it gives back is not written out at {syntax.site(node)}")
    if any(isinstance(one, cst.StarredElement) for one in value.elements):
        raise Refused(f"what it gives back is not written out at {syntax.site(node)}")
    start, end = syntax.whole(value.elements[-1].value)
    if isinstance(value, cst.Tuple) and not value.lpar:
        return [syntax.insert(end, f", {name}")]
    return listing.behind(syntax, start, end, name)


def _at_the_end(syntax: Syntax, function: cst.FunctionDef, count: int, name: str) -> Edit:
    """One more `return` where the function could come to its end without one."""
    if count > 1 or not isinstance(function.body, cst.IndentedBlock):
        raise Refused(f"`{function.name.value}` may end without giving back anything: {syntax.site(function)}")
    last = syntax.statement(function.body.body[-1])
    end = syntax.whole(last)[1]
    line = f"{syntax.indent(last)}return {name if count == 0 else f'None, {name}'}"
    ended = syntax.text[end - 1 : end] in ("\n", "\r")
    return syntax.insert(end, f"{line}{syntax.newline}" if ended else f"{syntax.newline}{line}")


def _typed(syntax: Syntax, function: cst.FunctionDef, count: int, type_: str, *, stream: bool) -> list[Edit]:
    """The annotation of what is given back, with one more; none where nobody can say what it is then."""
    if function.returns is None:
        return []
    said = function.returns.annotation
    if stream:
        match said:
            case cst.Subscript(value=kind, slice=[cst.SubscriptElement(slice=cst.Index(value=first)), *_]) if (
                last_name(kind) in _STREAMS
            ):
                said = first
            case _:
                return _without_annotation(syntax, function.returns)
    new = _one_more(syntax, said, count, type_)
    if not new:
        return _without_annotation(syntax, function.returns)
    return list(syntax.replace(*syntax.whole(said), new))


def _one_more(syntax: Syntax, said: cst.BaseExpression, count: int, type_: str) -> str:
    old = syntax.code(said)
    if not type_ or isinstance(said, cst.SimpleString | cst.ConcatenatedString):
        return ""
    if count == 0:
        return type_ if old == "None" else ""
    if count == 1:
        return f"tuple[{old}, {type_}]"
    match said:
        case cst.Subscript(value=cst.Name(value="tuple"), slice=elements) if len(elements) == count:
            return f"tuple[{', '.join(syntax.code(one.slice) for one in elements)}, {type_}]"
        case _:
            return ""


def _without_annotation(syntax: Syntax, returns: cst.Annotation) -> list[Edit]:
    start, end = syntax.whole(returns)[0], syntax.whole(returns.annotation)[1]
    return [Edit(syntax.path, start, end, syntax.text[start:end], "")]
