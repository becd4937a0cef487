"""A name that new code needs to the edits that import it, and edits of a file to the imports they leave without use.

Only imports at the top level of a module count. Nothing is sorted that was not.
"""

from __future__ import annotations

import sys
from collections.abc import Container, Iterable, Iterator, Sequence

import libcst as cst

from leaklint.codemods import Refused, listing
from leaklint.codemods.scope import names_in
from leaklint.finding import Edit
from leaklint.syntax import REMOVE, Syntax

_Import = cst.Import | cst.ImportFrom


def module(syntax: Syntax, name: str, called: str = "") -> tuple[str, list[Edit]]:
    """The text that stands for the module `name` in this file, and the edits that import it where it is not yet.

    It is imported as `called`, if that is no empty text, and free. Raises Refused where the name means something else
    in the file.
    """
    for line in _lines(syntax):
        for small in line.body:
            if isinstance(small, cst.Import):
                for alias in small.names:
                    if _dotted(alias.name) == name:
                        return _bound(alias), []
    if called and not _is_taken(syntax, called):
        return called, [_new_line(syntax, name, f"import {name} as {called}")]
    if _is_taken(syntax, name.partition(".")[0]):
        raise Refused(f"`{name}` is the name of something else in {syntax.path}")
    return name, [_new_line(syntax, name, f"import {name}")]


def member(syntax: Syntax, source: str, name: str, spare: Container[str] = ()) -> tuple[str, list[Edit]]:
    """The text that stands for `name` of the module `source`, and the edits that import it where it is not yet.

    It takes the place of a `spare` name, one that is imported from there and no longer needed. Raises Refused where
    the name means something else in the file.
    """
    block: cst.ImportFrom | None = None
    for line in _lines(syntax):
        for small in line.body:
            if (
                isinstance(small, cst.ImportFrom)
                and _source(small) == source
                and not isinstance(small.names, cst.ImportStar)
            ):
                for alias in small.names:
                    if _dotted(alias.name) == name:
                        return _bound(alias), []
                block = small
    if _is_taken(syntax, name):
        raise Refused(f"`{name}` is the name of something else in {syntax.path}")
    if block is None:
        return name, [_new_line(syntax, source, f"from {source} import {name}")]
    return name, _into(syntax, block, name, spare)


def has_member(syntax: Syntax, source: str, name: str) -> bool:
    """Whether the file imports `name` from the module `source`."""
    for line in _lines(syntax):
        for small in line.body:
            if isinstance(small, cst.ImportFrom) and _source(small) == source:
                names = () if isinstance(small.names, cst.ImportStar) else small.names
                if any(_dotted(alias.name) == name for alias in names):
                    return True
    return False


def as_in(syntax: Syntax, other: Syntax, name: str) -> list[Edit]:
    """The edits that import a bare name as another file does. Raises Refused where that calls it something else."""
    full = full_name(other, name)
    source, _, last = full.rpartition(".")
    if last != name or not source.strip("."):
        raise Refused(f"`{name}` is not imported in {syntax.path}")
    if source.startswith(".") and other.path.rpartition("/")[0] != syntax.path.rpartition("/")[0]:
        raise Refused(f"`{name}` is imported from beside {other.path}")
    return member(syntax, source, name)[1]


def has_module(syntax: Syntax, name: str) -> bool:
    """Whether the file imports the module itself."""
    nodes = [small for line in _lines(syntax) for small in line.body if isinstance(small, cst.Import)]
    return any(_dotted(alias.name) == name for node in nodes for alias in node.names)


def has_source(syntax: Syntax, name: str) -> bool:
    """Whether the file imports names from the module."""
    return any(
        isinstance(small, cst.ImportFrom) and _source(small) == name for line in _lines(syntax) for small in line.body
    )


def full_name(syntax: Syntax, text: str) -> str:
    """The dotted name that a name or dotted name of the file stands for; as it is where nothing imports it."""
    for line in _lines(syntax):
        for small in line.body:
            if not isinstance(small, _Import) or isinstance(small.names, cst.ImportStar):
                continue
            for alias in small.names:
                bound = _bound(alias)
                if text == bound or text.startswith(f"{bound}."):
                    source = f"{_source(small)}." if isinstance(small, cst.ImportFrom) else ""
                    return f"{source}{_dotted(alias.name)}{text.removeprefix(bound)}"
    return text


def unused(syntax: Syntax, edits: Sequence[Edit]) -> list[Edit]:
    """Edits that drop the imports whose last use the given edits take away."""
    added = [edit.start for edit in edits if edit.path == syntax.path and edit.start == edit.end]
    dropped: list[Edit] = []
    for node, aliases in _unneeded(syntax, edits):
        line_end = syntax.whole(syntax.statement(node))[1]
        for edit in _without(syntax, node, aliases):
            ends = [line_end for at in added if at == edit.start and line_end < edit.end]
            dropped.append(_up_to(edit, [*ends, *(at for at in added if edit.start < at < edit.end)]))
    return dropped


def _up_to(edit: Edit, added: Sequence[int]) -> Edit:
    """The removal, ending where a new import is put in, so that the blank lines behind stay for that one."""
    if not added:
        return edit
    end = min(added)
    return Edit(edit.path, edit.start, end, edit.expected[: end - edit.start], edit.replacement)


def without(syntax: Syntax, name: str, edits: Sequence[Edit]) -> list[Edit]:
    """Edits that drop the import that gives the file `name`, unless the given ones put something in its place."""
    for line in _lines(syntax):
        for small in line.body:
            if isinstance(small, cst.ImportFrom) and not isinstance(small.names, cst.ImportStar):
                gone = [one for one in small.names if _bound(one) == name and not _is_edited(syntax, one, edits)]
                if gone:
                    return _without(syntax, small, gone)
    return []


def unused_names(syntax: Syntax, edits: Sequence[Edit]) -> set[str]:
    """The imported names whose last use the given edits take away."""
    return {_root(alias) for _, aliases in _unneeded(syntax, edits) for alias in aliases}


def _unneeded(
    syntax: Syntax, edits: Sequence[Edit]
) -> Iterator[tuple[cst.Import | cst.ImportFrom, list[cst.ImportAlias]]]:
    if syntax.path.endswith("__init__.py"):
        return  # what it imports may be there for others
    own = [edit for edit in edits if edit.path == syntax.path]
    gone = _words(" ".join(edit.expected for edit in own))
    kept: set[str] | None = None
    for line in _lines(syntax):
        for small in line.body:
            if not isinstance(small, _Import) or isinstance(small.names, cst.ImportStar):
                continue
            suspects = [
                alias
                for alias in small.names
                if _root(alias) in gone and not _is_reexport(alias) and not _is_edited(syntax, alias, own)
            ]
            if not suspects or _source(small) == "__future__" or "noqa" in syntax.text[slice(*syntax.whole(line))]:
                continue
            kept = _still_used(syntax, own) if kept is None else kept
            if unneeded := [alias for alias in suspects if _root(alias) not in kept]:
                yield small, unneeded


def _is_edited(syntax: Syntax, alias: cst.ImportAlias, edits: Iterable[Edit]) -> bool:
    start, end = syntax.range(alias)
    return any(edit.start <= start and end <= edit.end for edit in edits)


# --- what is imported --------------------------------------------------------------------------------------------


def _lines(syntax: Syntax) -> Iterator[cst.SimpleStatementLine]:
    """The top-level lines that hold an import."""
    for line in syntax.module.body:
        if isinstance(line, cst.SimpleStatementLine) and any(isinstance(small, _Import) for small in line.body):
            yield line


def _source(node: cst.Import | cst.ImportFrom) -> str:
    if isinstance(node, cst.Import):
        return _dotted(node.names[0].name)
    return "." * len(node.relative) + (_dotted(node.module) if node.module else "")


def _dotted(node: cst.BaseExpression) -> str:
    if isinstance(node, cst.Attribute):
        return f"{_dotted(node.value)}.{node.attr.value}"
    return node.value if isinstance(node, cst.Name) else ""


def _bound(alias: cst.ImportAlias) -> str:
    """The text by which the file reaches what is imported: the alias, or the full dotted name."""
    if alias.asname is not None and isinstance(alias.asname.name, cst.Name):
        return alias.asname.name.value
    return _dotted(alias.name)


def _root(alias: cst.ImportAlias) -> str:
    return _bound(alias).partition(".")[0]


def _is_reexport(alias: cst.ImportAlias) -> bool:
    return alias.asname is not None and _bound(alias) == _dotted(alias.name)


def _is_taken(syntax: Syntax, name: str) -> bool:
    """Whether the file uses the name without importing it as what it is in one of its functions."""
    nested = syntax.walk(syntax.module, cst.Import, cst.ImportFrom)
    imported = {
        _root(alias)
        for node in nested
        if not isinstance(node.names, cst.ImportStar)
        and not isinstance(syntax.parent(syntax.statement(node)), cst.Module)
        for alias in node.names
        if alias.asname is None
    }
    return name in names_in(syntax, syntax.module) and name not in imported


# --- adding ------------------------------------------------------------------------------------------------------


def _new_line(syntax: Syntax, source: str, code: str) -> Edit:
    """One more import line: into the sorted block it belongs to, or as a block of its own."""
    blocks = _blocks(syntax)
    for block in blocks:
        if any(_is_standard(_line_source(line)) for line in block) == _is_standard(source):
            return _into_block(syntax, block, source, code)
    if blocks:
        first = blocks[0][0] if _is_standard(source) else None
        if first is not None:
            return syntax.insert(syntax.start_of_line(first), f"{code}{syntax.newline}{syntax.newline}")
        return syntax.insert(syntax.whole(blocks[-1][-1])[1], f"{syntax.newline}{code}{syntax.newline}")
    return _first_import(syntax, code)


def _blocks(syntax: Syntax) -> list[list[cst.SimpleStatementLine]]:
    """The import lines in groups without blank lines or other code between; `__future__` is no group."""
    blocks: list[list[cst.SimpleStatementLine]] = []
    previous: cst.CSTNode | None = None
    for line in syntax.module.body:
        if isinstance(line, cst.SimpleStatementLine) and isinstance(line.body[0], _Import):
            if _line_source(line) == "__future__":
                continue
            if previous is None or line.leading_lines or not blocks:
                blocks.append([])
            blocks[-1].append(line)
            previous = line
        elif not (isinstance(line, cst.SimpleStatementLine) and isinstance(line.body[0], cst.Expr)):
            if blocks:
                break
            previous = None
    return blocks


def _into_block(syntax: Syntax, block: Sequence[cst.SimpleStatementLine], source: str, code: str) -> Edit:
    """Before the first line that sorts behind it: `import` lines stand before `from` lines where the block does so."""
    key = _order(code, source)
    for line in block:
        if _order(syntax.code(line), _line_source(line)) > key:
            return syntax.insert(syntax.start_of_line(line), f"{code}{syntax.newline}")
    end = syntax.whole(block[-1])[1]
    ended = syntax.text[end - 1 : end] in ("\n", "\r")
    return syntax.insert(end, f"{code}{syntax.newline}" if ended else f"{syntax.newline}{code}")


def _order(code: str, source: str) -> tuple[bool, str]:
    return code.lstrip().startswith("from"), source.lower()


def _line_source(line: cst.SimpleStatementLine) -> str:
    first = line.body[0]
    return _source(first) if isinstance(first, _Import) else ""


def _is_standard(source: str) -> bool:
    return source.partition(".")[0] in sys.stdlib_module_names


def _first_import(syntax: Syntax, code: str) -> Edit:
    """The file's only import: behind the docstring and `__future__`, before everything else."""
    newline = syntax.newline
    body = list(syntax.module.body)
    head = [line for line in body[:1] if syntax.module.get_docstring(clean=False) is not None]
    head += [line for line in _lines(syntax) if _line_source(line) == "__future__"]
    if head:
        end = syntax.whole(head[-1])[1]
        ended = syntax.text[end - 1 : end] in ("\n", "\r")
        return syntax.insert(end, f"{newline}{code}{newline}" if ended else f"{newline}{newline}{code}{newline}")
    start = syntax.whole(body[0])[0] if body else len(syntax.text)
    return syntax.insert(start, f"{code}{newline}{newline}")


def _into(syntax: Syntax, block: cst.ImportFrom, name: str, spare: Container[str]) -> list[Edit]:
    """One more name of a `from` import, where it sorts or in the place of a spare one."""
    names = block.names
    assert not isinstance(names, cst.ImportStar)  # the caller looked
    for alias in names:
        if _root(alias) in spare:
            start, end = syntax.range(alias)
            return [Edit(syntax.path, start, end, syntax.text[start:end], name)]
    bracketed = block.lpar is not None
    for alias in names:
        if _dotted(alias.name).lower() > name.lower():
            start = syntax.range(alias)[0]
            return listing.before(syntax, start, name) if bracketed else [syntax.insert(start, f"{name}, ")]
    start, end = syntax.range(names[-1])
    return listing.behind(syntax, start, end, name) if bracketed else [syntax.insert(end, f", {name}")]


# --- dropping ----------------------------------------------------------------------------------------------------


def _words(text: str) -> set[str]:
    return {word for word in _split(text) if word.isidentifier()}


def _split(text: str) -> list[str]:
    return "".join(letter if letter.isalnum() or letter == "_" else " " for letter in text).split()


def _still_used(syntax: Syntax, edits: Iterable[Edit]) -> set[str]:
    """Every name that code outside of the edits and of imports uses, and every word of a string there."""
    ranges = [(edit.start, edit.end) for edit in edits]
    used: set[str] = set()
    for edit in edits:
        used |= _words(edit.replacement)
    pending: list[cst.CSTNode] = [syntax.module]
    while pending:
        node = pending.pop()
        if isinstance(node, _Import):
            continue
        if isinstance(node, cst.Name | cst.SimpleString):
            start, end = syntax.range(node)
            if not any(first <= start and end <= last for first, last in ranges):
                used |= {node.value} if isinstance(node, cst.Name) else _words(node.value)
        pending.extend(node.children)
    return used


def _without(syntax: Syntax, node: cst.Import | cst.ImportFrom, gone: Sequence[cst.ImportAlias]) -> list[Edit]:
    names = node.names
    assert not isinstance(names, cst.ImportStar)  # the caller looked
    kept = [alias for alias in names if alias not in gone]
    if not kept:
        return list(syntax.rewrite({node: REMOVE}))
    edits = []
    for alias in gone:
        number = list(names).index(alias)
        if alias is names[-1]:
            start = max(syntax.range(one)[1] for one in kept)
            edits.append(_cut(syntax, start, syntax.range(alias)[1]))
        else:
            edits.append(_cut(syntax, syntax.range(alias)[0], syntax.range(names[number + 1])[0]))
    return edits


def _cut(syntax: Syntax, start: int, end: int) -> Edit:
    return Edit(syntax.path, start, end, syntax.text[start:end], "")
