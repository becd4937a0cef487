"""Text in a syntax newer than the running Python's to the tree that the newer Python would give, positions included.

LibCST parses what `ast` refuses; edits of equal length then say the new syntax in the old one, and what the old one
has no words for is put back into the tree. Type parameters and format specifications are not: no summary holds them.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator
from itertools import groupby, islice
from typing import Any, NamedTuple, TypeAlias, TypeVar

import libcst as cst

from leaklint.syntax import NotAnalysed, Syntax

Place: TypeAlias = tuple[int, int]  # line from 1, column from 0 in UTF-8 bytes, as `ast` counts
Interpolated: TypeAlias = "cst.FormattedString | cst.TemplatedString"
Field: TypeAlias = "cst.FormattedStringExpression | cst.TemplatedStringExpression"

_Node = TypeVar("_Node", bound=ast.expr)

_INTERPOLATED = (cst.FormattedString, cst.TemplatedString)
_FIELDS = (cst.FormattedStringExpression, cst.TemplatedStringExpression)
_TEXTS = (cst.FormattedStringText, cst.TemplatedStringText)
_STRINGS = (*_INTERPOLATED, cst.ConcatenatedString)
_TIGHT = (cst.Name, cst.Attribute, cst.Call, cst.Subscript)  # bind closer than `|`


def parse(text: str, error: SyntaxError) -> ast.Module:
    """The tree of a text that `ast.parse` refused with `error`.

    Raises SyntaxError: `error` itself where the text holds no newer syntax, else what names the line that stays.
    """
    try:
        draft = _Draft(Syntax("", text))
        _lower(draft, draft.syntax.module)
    except (NotAnalysed, cst.CSTLogicError):
        raise error from None
    if not draft.changed:
        raise error
    tree = ast.parse(draft.text())
    mending = _Mending(draft)
    mending.visit(tree)
    if mending.left:
        line, column = min(mending.left)
        raise SyntaxError("newer syntax that cannot be said in the running Python's", ("", line, column + 1, None))
    return tree


class _Group(NamedTuple):
    """A replacement field: one expression, or the elements of a tuple that has no parentheses."""

    width: int = 1
    range: tuple[Place, Place] | None = None  # of the tuple


_Part: TypeAlias = "str | _Group"


# --- edits of equal length -------------------------------------------------------------------------------------------


class _Draft:
    """The text as it is rewritten, every line as long in bytes as it was, and what is to be put back afterwards."""

    def __init__(self, syntax: Syntax) -> None:
        self.syntax = syntax
        self.changed = False
        self.strings: dict[tuple[Place, Place], tuple[_Part, ...]] = {}  # by range: tuples that are f-strings
        self.handlers: dict[Place, tuple[int, Place, Place]] = {}  # by `except`: chains of `|` that are tuples
        self.lazy: dict[Place, Place] = {}  # from `import` or `from` to `lazy`
        self.starred: dict[Place, tuple[Place, Place]] = {}  # from a comprehension's element to its range with the star
        self.merged: set[Place] = set()  # elements of set comprehensions that are `**mapping`
        self._characters = list(syntax.text)

    def text(self) -> str:
        return "".join(self._characters)

    def put(self, offset: int, new: str) -> None:
        """Replace ASCII by as much ASCII."""
        self.changed = True
        self._characters[offset : offset + len(new)] = new

    def blank(self, start: int, end: int) -> None:
        self.changed = True
        for offset, character in enumerate(self.syntax.text[start:end], start):
            if character not in "\r\n":
                self._characters[offset] = " " * len(character.encode("utf-8", "surrogatepass"))

    def restore(self, start: int, end: int) -> None:
        self._characters[start:end] = self.syntax.text[start:end]

    def place(self, offset: int) -> Place:
        line, column = self.syntax.position(offset)
        return line, len(self.syntax.text[offset - column + 1 : offset].encode("utf-8", "surrogatepass"))

    def start(self, node: cst.CSTNode) -> Place:
        return self.place(self.syntax.range(node)[0])

    def places(self, node: cst.CSTNode) -> tuple[Place, Place]:
        start, end = self.syntax.range(node)
        return self.place(start), self.place(end)


def _lower(draft: _Draft, top: cst.CSTNode) -> None:
    """Rewrite what is newer in and below `top`, in the order of the text. Raises SyntaxError, NotAnalysed."""
    behind = 0  # what lies before is done with
    for node in draft.syntax.walk(top):
        rewrite = _REWRITES.get(node.__class__)
        if rewrite is not None and draft.syntax.range(node)[0] >= behind:
            behind = max(behind, rewrite(draft, node))


def _type_parameters(draft: _Draft, node: cst.TypeParameters) -> int:
    """`def f[T](x)` to `def f(   x)`: within parentheses, line ends and comments may stay."""
    opening, closing = draft.syntax.range(node)[0], draft.syntax.range(node)[1] - 1
    owner = draft.syntax.parent(node)
    if isinstance(owner, cst.TypeAlias):
        draft.blank(opening, closing)
        draft.put(closing, ")")  # opened in the place of `type`
        return closing
    if isinstance(owner, cst.FunctionDef):
        closing = draft.syntax.whole(owner.whitespace_before_params)[0]
    elif isinstance(owner, cst.ClassDef) and isinstance(owner.lpar, cst.LeftParen):
        closing = draft.syntax.whole(owner.lpar.whitespace_after)[0]
    else:
        draft.put(closing, ")")
    draft.blank(opening, closing)
    draft.put(opening, "(")
    return closing


def _type_alias(draft: _Draft, node: cst.TypeAlias) -> int:
    """`type X = int` to `[]=  X = int`, `type X[T] = int` to `(    X  )= int`."""
    start = draft.syntax.range(node)[0]
    draft.put(start, "(   " if node.type_parameters else "[]= ")
    return start


def _lazy_import(draft: _Draft, node: cst.LazyImport | cst.LazyImportFrom) -> int:
    """`lazy import a` to `0;   import a`."""
    start = draft.syntax.range(node)[0]
    draft.put(start, "0;  ")
    draft.lazy[draft.place(draft.syntax.whole(node.whitespace_after_lazy)[1])] = draft.place(start)
    return start


def _handler(draft: _Draft, node: cst.ExceptHandler | cst.ExceptStarHandler) -> int:
    """`except A, B:` to `except A| B:`."""
    types = node.type
    if not isinstance(types, cst.Tuple) or types.lpar:
        return 0
    for element in types.elements:
        if not (isinstance(element, cst.Element) and (isinstance(element.value, _TIGHT) or element.value.lpar)):
            raise _unsayable(draft, element, "types of exceptions that are no names, without parentheses")
        if isinstance(element.comma, cst.Comma):
            comma = draft.syntax.whole(element.comma.whitespace_before)[1]
            draft.put(comma, " " if element is types.elements[-1] else "|")
    draft.handlers[draft.start(node)] = (len(types.elements), *draft.places(types))
    return 0


def _comprehension(draft: _Draft, node: cst.ListComp | cst.SetComp | cst.GeneratorExp) -> int:
    """`[*a for a in b]` to `[ a for a in b]`."""
    element = node.elt
    if isinstance(element, cst.StarredElement):
        star = draft.syntax.whole(element.whitespace_before_value)[0] - 1
        draft.blank(star, star + 1)
        end = draft.syntax.whole(element.value)[1]
        draft.starred[draft.start(element.value)] = draft.place(star), draft.place(end)
    return 0


def _merged(draft: _Draft, node: cst.StarredDictComp) -> int:
    """`{**a for a in b}` to `{  a for a in b}`."""
    stars = draft.syntax.whole(node.whitespace_before_value)[0] - 2
    draft.blank(stars, stars + 2)
    draft.merged.add(draft.start(node.value))
    return 0


def _unsayable(draft: _Draft, node: cst.CSTNode, what: str) -> SyntaxError:
    line, column = draft.syntax.position(draft.syntax.range(node)[0])
    return SyntaxError(f"newer syntax that cannot be said in the running Python's: {what}", ("", line, column, None))


# --- strings ---------------------------------------------------------------------------------------------------------


def _string(draft: _Draft, node: Interpolated | cst.ConcatenatedString) -> int:
    """`f"a{d["k"]}b"` to `(   d["k"], )`, if the running Python does not take the string as it is."""
    syntax = draft.syntax
    start, end = syntax.range(node)
    strings = list(_concatenated(node))
    if not any(isinstance(string, _INTERPOLATED) for string in strings) or _is_said(syntax.text[start:end]):
        return end
    draft.blank(start, end)
    draft.put(start, "(")
    draft.put(end - 1, ")")
    draft.strings[draft.place(start), draft.place(end)] = tuple(_parts(draft, strings))
    for string in strings:
        for field in string.parts if isinstance(string, _INTERPOLATED) else ():
            if isinstance(field, _FIELDS):
                _field(draft, field)
    return end


def _concatenated(node: cst.BaseExpression) -> Iterator[cst.SimpleString | Interpolated]:
    if isinstance(node, cst.ConcatenatedString):
        yield from _concatenated(node.left)
        yield from _concatenated(node.right)
    elif isinstance(node, cst.SimpleString | cst.FormattedString | cst.TemplatedString):
        yield node


def _is_said(code: str) -> bool:
    try:
        ast.parse(f"({code}\n)")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True


def _field(draft: _Draft, field: Field) -> None:
    """Give a replacement field its text back, with a comma for the closing brace; the string is blank by now."""
    value, syntax = field.expression, draft.syntax
    if isinstance(value, cst.Yield) and not value.lpar:
        raise _unsayable(draft, field, "`yield` in a replacement field, without parentheses")
    start, end = syntax.whole(field.whitespace_before_expression)[0], syntax.whole(value)[1]
    draft.restore(start, end)
    if not (isinstance(value, cst.Tuple) and not value.lpar and isinstance(value.elements[-1].comma, cst.Comma)):
        draft.put(syntax.range(field)[1] - 1, ",")
    _lower(draft, value)


def _parts(draft: _Draft, strings: list[cst.SimpleString | Interpolated]) -> Iterator[_Part]:
    for string in strings:
        if isinstance(string, cst.SimpleString):
            yield str(string.evaluated_value)
            continue
        for part in string.parts:
            if isinstance(part, _TEXTS):
                yield _written(string.start, part.value)
            elif isinstance(part, _FIELDS):
                if part.equal is not None:
                    start = draft.syntax.whole(part.whitespace_before_expression)[0]
                    yield draft.syntax.text[start : draft.syntax.whole(part.equal)[1]]
                if isinstance(value := part.expression, cst.Tuple) and not value.lpar:
                    yield _Group(len(value.elements), draft.places(value))
                else:
                    yield _Group()


def _written(start: str, code: str) -> str:
    """What literal text of a string means that begins with `start`: prefix and quotes."""
    quotes = start.lstrip("fFtTrR")
    code = code.replace("{{", "{").replace("}}", "}")
    prefix = "r" if "r" in start.lower() else ""
    try:
        return str(ast.literal_eval(f"{prefix}{quotes}{code}{quotes}"))
    except (SyntaxError, ValueError):
        return code


# Each gives the offset up to which it has dealt with the text.
_REWRITES: dict[type[cst.CSTNode], Callable[[_Draft, Any], int]] = {
    cst.TypeParameters: _type_parameters,
    cst.TypeAlias: _type_alias,
    cst.LazyImport: _lazy_import,
    cst.LazyImportFrom: _lazy_import,
    cst.ExceptHandler: _handler,
    cst.ExceptStarHandler: _handler,
    cst.ListComp: _comprehension,
    cst.SetComp: _comprehension,
    cst.GeneratorExp: _comprehension,
    cst.StarredDictComp: _merged,
    **dict.fromkeys(_STRINGS, _string),
}


# --- what the old syntax could not say -------------------------------------------------------------------------------


class _Mending(ast.NodeTransformer):
    """Puts back into the tree what the draft had no words for; what it does not meet stays in `left`."""

    def __init__(self, draft: _Draft) -> None:
        self._draft = draft
        strings = {start for start, _ in draft.strings}
        self.left = {*strings, *draft.handlers, *draft.lazy, *draft.starred, *draft.merged}

    def visit_Tuple(self, node: ast.Tuple) -> ast.expr:
        self.generic_visit(node)
        parts = self._draft.strings.get((_start(node), _end(node)))
        if parts is None:
            return node
        self.left.discard(_start(node))
        return _placed(ast.JoinedStr(list(_values(parts, node))), _start(node), _end(node))

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> ast.ExceptHandler:
        self.generic_visit(node)
        found = self._draft.handlers.get(_start(node))
        if found is not None and node.type is not None:
            self.left.discard(_start(node))
            count, start, end = found
            node.type = _placed(ast.Tuple(_alternatives(node.type, count), ast.Load()), start, end)
        return node

    def visit_Expr(self, node: ast.Expr) -> ast.Expr | None:
        self.generic_visit(node)
        return None if _start(node) in self._draft.lazy.values() else node

    def visit_Import(self, node: ast.Import) -> ast.Import:
        self._import(node)
        return node

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.ImportFrom:
        self._import(node)
        return node

    def _import(self, node: ast.Import | ast.ImportFrom) -> None:
        if (start := self._draft.lazy.get(_start(node))) is not None:
            self.left.discard(_start(node))
            node.lineno, node.col_offset = start

    def visit_ListComp(self, node: ast.ListComp) -> ast.ListComp:
        self._comprehension(node)
        return node

    def visit_GeneratorExp(self, node: ast.GeneratorExp) -> ast.GeneratorExp:
        self._comprehension(node)
        return node

    def visit_SetComp(self, node: ast.SetComp) -> ast.expr:
        element = _start(node.elt)
        self._comprehension(node)
        if element not in self._draft.merged:
            return node
        self.left.discard(element)
        merged = ast.DictComp(key=node.elt, value=None, generators=node.generators)  # type: ignore[arg-type]  # as 3.15
        return _placed(merged, _start(node), _end(node))

    def _comprehension(self, node: ast.ListComp | ast.SetComp | ast.GeneratorExp) -> None:
        element = _start(node.elt)
        self.generic_visit(node)
        if (places := self._draft.starred.get(element)) is not None:
            self.left.discard(element)
            node.elt = _placed(ast.Starred(node.elt, ast.Load()), *places)


def _values(parts: Iterable[_Part], node: ast.Tuple) -> Iterator[ast.expr]:
    """What a string is made of, neighbouring texts as one."""
    elements = iter(node.elts)
    for is_text, run in groupby(parts, lambda part: isinstance(part, str)):
        if is_text:
            if text := "".join(str(part) for part in run):
                yield _placed(ast.Constant(text), _start(node), _end(node))
            continue
        for group in run:
            assert isinstance(group, _Group)
            value: ast.expr
            if group.range is None:
                value = next(elements)
            else:
                value = _placed(ast.Tuple(list(islice(elements, group.width)), ast.Load()), *group.range)
            yield _placed(ast.FormattedValue(value, -1, None), _start(value), _end(value))


def _alternatives(node: ast.expr, count: int) -> list[ast.expr]:
    found: list[ast.expr] = []
    while len(found) < count - 1 and isinstance(node, ast.BinOp):
        found.append(node.right)
        node = node.left
    return [node, *reversed(found)]


def _start(node: ast.expr | ast.stmt | ast.ExceptHandler) -> Place:
    return node.lineno, node.col_offset


def _end(node: ast.expr) -> Place:
    return node.end_lineno or node.lineno, node.end_col_offset or 0


def _placed(node: _Node, start: Place, end: Place) -> _Node:
    node.lineno, node.col_offset = start
    node.end_lineno, node.end_col_offset = end
    return node
