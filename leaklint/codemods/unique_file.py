"""A file of constant name that one function writes and reads, to a file of that name in a new folder for each call.

The name must be a plain string that no other code of the program says, and have no folder, which others may serve.
"""

from __future__ import annotations

import re

import libcst as cst

from leaklint.codemods import Refused, imports, offer
from leaklint.codemods.own_variable import first_statement
from leaklint.codemods.scope import free_name, function_of, names_in, says
from leaklint.finding import Edit, Fix, Safety
from leaklint.project.suspect import FileSuspect
from leaklint.syntax import Files, Replacement, Syntax


def make_unique(suspect: FileSuspect, files: Files) -> Fix:
    """Put the file into a temporary folder that the call makes for itself. Who deletes it is for somebody to say."""
    return offer("Write it to a folder of its own", Safety.SUGGESTED, lambda: _converted(suspect, files))


def _converted(suspect: FileSuspect, files: Files) -> list[Edit]:
    syntax = files[suspect.span.path]
    function = function_of(syntax, syntax.node_at(suspect.span))
    if function is None:
        raise Refused(f"it is not written by a function at {suspect.span.path}:{suspect.span.line}")
    text = suspect.path
    if "{" in text:
        raise Refused(f"the name `{text}` is put together")
    if re.search(r"[^\w. -]", text):
        raise Refused(f"the folder of `{text}` may be known to others")
    said = [node for node in syntax.walk(syntax.module) if _is(node, text)]
    for node in said:
        if function_of(syntax, node) is not function:
            raise Refused(f"`{text}` is also named at {syntax.site(node)}")
    if len(said) < 2:
        raise Refused(f"`{text}` is read elsewhere: {suspect.reader.span.path}:{suspect.reader.span.line}")
    _refuse_other_files(syntax, text, files)
    temporary, imported = imports.member(syntax, "tempfile", "mkdtemp")
    name = free_name(re.sub(r"\W+", "_", text).strip("_").lower() or "path", names_in(syntax, function))
    made = f'{name} = f"{{{temporary}()}}/{text}"'
    replaced: dict[cst.CSTNode, Replacement] = dict.fromkeys(said, name)
    return [*imported, *syntax.rewrite(replaced, {first_statement(syntax, function, said): [made]})]


def _is(node: cst.CSTNode, text: str) -> bool:
    return isinstance(node, cst.SimpleString) and says(node, text)


def _refuse_other_files(syntax: Syntax, text: str, files: Files) -> None:
    for path, code in files.texts.items():
        if path != syntax.path and text in code:
            there = files[path]
            for node in there.walk(there.module):
                if isinstance(node, cst.SimpleString | cst.FormattedStringText) and text in there.code(node):
                    raise Refused(f"`{text}` is also named at {there.site(node)}")
