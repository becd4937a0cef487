"""Where listeners of a page are registered, to one more component among what a listener is given, or what it gives to.

`button.click(fn, inputs=[...], outputs=[...])`, by keyword or position, and the same as a decorator. Refused where a
list is not written out there, or where something else rests on what is in it.
"""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst
from msgspec import Struct

from leaklint.codemods import Refused, imports, listing
from leaklint.codemods.handing import is_another, mentions
from leaklint.codemods.pass_argument import keyword
from leaklint.codemods.scope import function_of
from leaklint.codemods.uses import BY_NAME
from leaklint.finding import Edit
from leaklint.project.suspect import Handler, Registration
from leaklint.syntax import Files, Syntax


class Listening(Struct, frozen=True):
    """One registration of a function: the call, and the block of the page that it stands in."""

    syntax: Syntax
    call: cst.Call
    page: cst.With
    known: Registration
    decorates: bool

    def given(self) -> int:
        """How many components the function is given. Raises Refused."""
        return len(_items(self, self.known.inputs, 1))

    def taking(self) -> int:
        """How many components take what the function gives back. Raises Refused."""
        return len(_items(self, self.known.outputs, 2))

    def also_given(self, component: str) -> list[Edit]:
        """Edits that give it one more, behind the others. Raises Refused."""
        return _added(self, self.known.inputs, 1, component)

    def also_taking(self, component: str) -> list[Edit]:
        """Edits that have one more take what it gives back, behind the others. Raises Refused."""
        return _added(self, self.known.outputs, 2, component)


def listenings(syntax: Syntax, function: cst.FunctionDef, handler: Handler, page: str, files: Files) -> list[Listening]:
    """All registrations of a function on pages of the class `page`. Raises Refused where there may be another one."""
    name = function.name.value
    spans = {one.span: one for one in handler.registered}
    found: dict[cst.Call, Listening] = {}
    for path, _ in files.with_word(name):
        there = files[path]
        for node in mentions(there, name):
            if node is function or is_another(syntax, function, there, node) or _is_text(there, node):
                continue
            call = _call(there, node)
            known = spans.get(there.span(call)) if call is not None else None
            if call is None or known is None:
                raise Refused(f"`{name}` is used in another way at {there.site(node)}")
            found[call] = _listening(there, call, known, page, decorates=False)
    for decorator in function.decorators:
        known = spans.get(syntax.span(decorator.decorator))
        if not isinstance(decorator.decorator, cst.Call) or known is None:
            raise Refused(f"what decorates `{name}` may change what it is given at {syntax.site(decorator)}")
        found[decorator.decorator] = _listening(syntax, decorator.decorator, known, page, decorates=True)
    missing = spans.keys() - {one.syntax.span(one.call) for one in found.values()}
    for span in sorted(missing):
        raise Refused(f"`{name}` is registered in another way at {span.path}:{span.line}")
    return list(found.values())


def _is_text(syntax: Syntax, node: cst.CSTNode) -> bool:
    """Whether it is a string that reaches nothing by that name: a label."""
    call = _call(syntax, node)
    by_name = call is not None and isinstance(call.func, cst.Name) and call.func.value in BY_NAME
    return isinstance(node, cst.SimpleString) and not by_name


def _call(syntax: Syntax, node: cst.CSTNode) -> cst.Call | None:
    """The call that a name is an argument of, as it is."""
    argument = syntax.parent(node)
    call = syntax.parent(argument) if isinstance(argument, cst.Arg) and not argument.star else None
    return call if isinstance(call, cst.Call) else None


def _listening(syntax: Syntax, call: cst.Call, known: Registration, page: str, *, decorates: bool) -> Listening:
    site = syntax.site(call)
    if not known.inputs:
        raise Refused(f"nothing can be listed at {site}")
    for argument in call.args:
        if argument.star:
            raise Refused(f"what is passed is not written out at {site}")
        if argument.keyword is not None and argument.keyword.value in known.exact:
            raise Refused(f"`{argument.keyword.value}` rests on what is listed at {site}")
    pages = [above for above in syntax.ancestors(call) if isinstance(above, cst.With) and _opens(syntax, above, page)]
    if not pages or function_of(syntax, pages[-1]) is not function_of(syntax, call):
        raise Refused(f"it is not seen on which page `{syntax.code(call.func)}` stands: {site}")
    return Listening(syntax, call, pages[-1], known, decorates)


def _opens(syntax: Syntax, block: cst.With, page: str) -> bool:
    return any(
        isinstance(one.item, cst.Call) and imports.full_name(syntax, syntax.code(one.item.func)) == page
        for one in block.items
    )


# --- the lists ---------------------------------------------------------------------------------------------------


def _argument(listening: Listening, name: str, behind: int) -> cst.Arg | None:
    for one in listening.call.args:
        if one.keyword is not None and one.keyword.value == name:
            return one
    plain = [one for one in listening.call.args if one.keyword is None]
    at = listening.known.at + behind
    return plain[at] if not listening.decorates and at < len(plain) else None


def _items(listening: Listening, name: str, behind: int) -> list[cst.BaseExpression]:
    """The components of a list, which may be a single one. Raises Refused."""
    argument = _argument(listening, name, behind)
    match argument.value if argument is not None else None:
        case None | cst.Name(value="None"):
            return []
        case cst.List(elements=elements) if not any(isinstance(one, cst.StarredElement) for one in elements):
            return [one.value for one in elements]
        case cst.Name() | cst.Attribute() as value if _is_one(listening, value):
            return [value]
        case _:
            raise Refused(f"`{name}` is not written out at {listening.syntax.site(listening.call)}")


def _is_one(listening: Listening, value: cst.Name | cst.Attribute) -> bool:
    """Whether a name is only ever bound to what a call of the page's library makes."""
    syntax = listening.syntax
    library = imports.full_name(syntax, syntax.code(listening.page.items[0].item)).partition(".")[0]
    makers = list(_bound_to(syntax, syntax.code(value)))
    return bool(makers) and all(
        isinstance(one, cst.Call) and imports.full_name(syntax, syntax.code(one.func)).startswith(f"{library}.")
        for one in makers
    )


def _bound_to(syntax: Syntax, text: str) -> Iterator[cst.BaseExpression]:
    for node in syntax.walk(syntax.module):
        match node:
            case cst.Assign(targets=targets, value=value):
                yield from (value for one in targets if _is_in(syntax, one.target, text))
            case cst.AnnAssign(target=target, value=value) if value is not None and syntax.code(target) == text:
                yield value
            case cst.WithItem(item=value, asname=cst.AsName(name=target)) if _is_in(syntax, target, text):
                yield value
            case cst.For(target=target, iter=value) | cst.CompFor(target=target, iter=value):
                yield from (value,) if _is_in(syntax, target, text) else ()
            case cst.Param(name=cst.Name(value=name)) as parameter if name == text:
                yield parameter.name  # which may be anything


def _is_in(syntax: Syntax, target: cst.CSTNode, text: str) -> bool:
    return any(isinstance(node, cst.Name | cst.Attribute) and syntax.code(node) == text for node in syntax.walk(target))


def _added(listening: Listening, name: str, behind: int, component: str) -> list[Edit]:
    _items(listening, name, behind)  # or it is no list that could take one more
    syntax = listening.syntax
    argument = _argument(listening, name, behind)
    match argument.value if argument is not None else None:
        case None:
            return keyword(syntax, listening.call, name, f"[{component}]")
        case cst.Name(value="None") as nothing:
            return list(syntax.rewrite({nothing: f"[{component}]"}))
        case cst.List(elements=[]) as empty:
            return [syntax.insert(syntax.whole(empty.lbracket)[0] + 1, component)]
        case cst.List(elements=elements):
            return listing.behind(syntax, *syntax.range(elements[-1].value), component)
        case value:
            start, end = syntax.whole(value)
            return [syntax.insert(start, "["), syntax.insert(end, f", {component}]")]
