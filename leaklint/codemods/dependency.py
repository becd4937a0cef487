"""What the program's own dependency gives, to one more parameter of a handler that asks for it.

A dependency is a generator that opens the thing and yields it; how a handler asks for it is copied from one that does.
"""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from leaklint.codemods import Refused, imports, parameter
from leaklint.codemods.scope import function_of, names_in, parameters
from leaklint.finding import Edit
from leaklint.syntax import Files, Syntax


def asked_for(syntax: Syntax, function: cst.FunctionDef, name: str, opening: str, files: Files) -> list[Edit]:
    """Edits by which a decorated handler asks for what the program opens by `opening`; none where it cannot."""
    if not function.decorators:
        return []
    for there, generator in _generators(opening, files):
        for example, marker, annotation in _examples(generator.name.value, files):
            try:
                edits = _imported(syntax, example, marker, there)
            except Refused:
                continue
            known = names_in(syntax, syntax.module)
            typed = f"{name}: {annotation} = " if annotation in known else f"{name}="
            declared = f"{typed}{example.code(marker)}"
            return [*edits, *parameter.declared(syntax, function, declared, positional=True)]
    return []


def _generators(opening: str, files: Files) -> Iterator[tuple[Syntax, cst.FunctionDef]]:
    """Functions without a decorator that open it and yield it."""
    for path, text in files.texts.items():
        if opening not in text or "yield" not in text:
            continue
        syntax = files[path]
        for node in syntax.walk(syntax.module, cst.FunctionDef):
            if not node.decorators and opening in syntax.code(node.body):
                yields = list(syntax.walk(node, cst.Yield))
                if len(yields) == 1 and function_of(syntax, yields[0]) is node:
                    yield syntax, node


def _examples(name: str, files: Files) -> Iterator[tuple[Syntax, cst.Call, str]]:
    """How decorated functions ask for it: the marker around its name, and the annotation beside."""
    for path, text in files.texts.items():
        if f"({name})" not in text:
            continue
        syntax = files[path]
        for node in syntax.walk(syntax.module, cst.FunctionDef):
            if not node.decorators:
                continue
            for one in parameters(node):
                match one.default:
                    case cst.Call(func=cst.Name(), args=[cst.Arg(value=cst.Name(value=asked))]) if asked == name:
                        written = syntax.code(one.annotation.annotation) if one.annotation is not None else ""
                        yield syntax, one.default, written


def _imported(syntax: Syntax, example: Syntax, marker: cst.Call, there: Syntax) -> list[Edit]:
    """What makes marker and dependency mean in the file what they mean in the example. Raises Refused."""
    edits: list[Edit] = []
    for node in (marker.func, marker.args[0].value):
        text = example.code(node)
        if example is syntax or (node is not marker.func and there is syntax):
            continue
        full = imports.full_name(example, text)
        if full == text or full.startswith(".") or not full.endswith(f".{text}"):
            raise Refused(f"`{text}` is not imported by its name in {example.path}")
        here, added = imports.member(syntax, full.rpartition(".")[0], text)
        if here != text:
            raise Refused(f"`{text}` has another name in {syntax.path}")
        edits += added
    return edits
