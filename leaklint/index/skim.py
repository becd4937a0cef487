"""What is known of a module without a look at its code: its statements are gone through, its expressions are not.

A tenth of what lowering costs. In a folder of libraries, or beside a large test suite, most modules need no more.
"""

from __future__ import annotations

import ast
import re
import unicodedata
from collections.abc import Iterator, Sequence
from itertools import chain

from leaklint.index.summary import Head, Imported

_DOTTED = re.compile(r"\.\s*(?:(?:\\\n|#.*\n)\s*){0,8}([^\W\d]\w*)")  # no more comments, or long ones take long
_QUOTED = re.compile(r"""["']([^\W\d]\w*)["']""")
_MODULE = re.compile(r"""["'}](?<!["']["'}])([^\W\d]\w*(?:(?:[.:]\w+)+\.?|\.))(?=["'{](?!["']))""")  # in no docstring
_BY_NAME = "attr("  # as the calls end that take the name of an attribute
_LAMBDA = re.compile(r"lambda\s+([\w\s,]+):")  # maybe the end of another word: nothing in front makes it fast


def skim(tree: ast.Module, text: str, path: str, digest: str) -> Head:
    """The head of a module's summary, from its tree and its text; `digest` identifies the bytes they came from."""
    imports: list[Imported] = []
    signatures: set[tuple[str, ...]] = set()
    classes: set[tuple[str, ...]] = set()
    functions = 0
    for node, is_method in _definitions(tree):
        match node:
            case ast.Import():
                imports += [Imported(alias.name, "", 0) for alias in node.names]
            case ast.ImportFrom():
                imports += [Imported(node.module or "", alias.name, node.level) for alias in node.names]
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                functions += 1
                names = tuple(_parameters(node.args))
                signatures.add((node.name, *names))
                if is_method:
                    signatures.add((node.name, *names[1:]))
            case ast.ClassDef():
                classes.add((node.name, *_names(node)))
    signatures.update(("<lambda>", *map(str.strip, names.split(","))) for names in _LAMBDA.findall(text))
    return Head(
        path=path,
        digest=digest,
        imports=tuple(imports),
        words=_words(text),
        lines=text.count("\n") + 1,
        count=functions,
        signatures=frozenset(signatures),
        classes=frozenset(classes),
    )


def _definitions(tree: ast.Module) -> Iterator[tuple[ast.stmt, bool]]:
    """The statements that import and define, and whether each stands in the body of a class, or in a branch there."""
    waiting: list[tuple[Sequence[ast.AST], bool]] = [(tree.body, False)]
    while waiting:
        nodes, in_class = waiting.pop()
        for node in nodes:
            kind = node.__class__
            if kind in _DEFINING:
                yield node, in_class  # type: ignore[misc]
            for field in _HOLDING[kind]:
                held = getattr(node, field)
                if held:
                    waiting.append((held, kind is ast.ClassDef or (in_class and kind not in _FUNCTIONS)))


_FUNCTIONS = frozenset((ast.FunctionDef, ast.AsyncFunctionDef))
_DEFINING = _FUNCTIONS | {ast.ClassDef, ast.Import, ast.ImportFrom}
_INNER = ("body", "orelse", "handlers", "finalbody", "cases")
_KINDS: list[type[ast.AST]] = [*ast.stmt.__subclasses__(), ast.ExceptHandler, ast.match_case]
_HOLDING = {kind: tuple(field for field in kind._fields if field in _INNER) for kind in _KINDS}
"""The fields that hold statements."""


def _parameters(given: ast.arguments) -> Iterator[str]:
    """The names in the order in which a call may fill them."""
    rest = (given.vararg,) if given.vararg is not None else ()
    more = (given.kwarg,) if given.kwarg is not None else ()
    for one in (*given.posonlyargs, *given.args, *rest, *given.kwonlyargs, *more):
        yield one.arg


def _names(node: ast.ClassDef) -> Iterator[str]:
    for part in chain(*map(ast.walk, (*node.bases, *(keyword.value for keyword in node.keywords)))):
        if isinstance(part, (ast.Name, ast.Attribute)):
            yield part.id if isinstance(part, ast.Name) else part.attr


def quoted_names(text: str) -> frozenset[str]:
    """What is quoted in a text and may be the dotted name of a module, begin one, or be of something in one."""
    return frozenset(_MODULE.findall(text))


def _words(text: str) -> frozenset[str]:
    """What may be the name of an attribute: all that follows a dot, and all in quotes where it may be asked for so."""
    text = text if text.isascii() else unicodedata.normalize("NFKC", text)  # as Python reads names
    found = _DOTTED.findall(text)
    if _BY_NAME in text:
        found += _QUOTED.findall(text)
    return frozenset(found)
