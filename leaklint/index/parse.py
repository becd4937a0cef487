"""One module's source text to its summary: parsed by the running Python, or else by LibCST and the running Python.

No I/O, no other module. Code that does not parse raises `SyntaxError`; nothing else does.
"""

from __future__ import annotations

import ast
import sys
import threading
import warnings
from collections.abc import Callable
from functools import partial
from typing import TypeVar

from msgspec.structs import replace

from leaklint.index.lower import lower
from leaklint.index.skim import skim
from leaklint.index.summary import Bind, Code, How, ModuleSummary, Name

T = TypeVar("T")

_DEEP = 50_000  # frames; generated code nests further than people do
_BIG_STACK = 512 * 1024 * 1024


def summarise(path: str, text: str, digest: str = "", *, keep: bool = True) -> ModuleSummary:
    """The summary of one module, whose code is lowered when it is first asked for.

    Args:
        path: relative to the project root, forward slashes; names the module in every later message.
        text: the decoded source.
        digest: identifies the bytes the text came from.
        keep: whether the tree is kept until then, at 0.9 KiB a line; else the text is parsed once more.

    Raises:
        SyntaxError: neither the running Python nor a newer one can parse the text, or it nests too deeply for that.
    """
    tree = _deep(partial(_parsed, text))
    head = skim(tree, text, path, digest)
    name = path.rpartition("/")[2].removesuffix(".py")
    own = [i.name for i in head.imports if not i.level and i.module.partition(".")[0] == name]
    if not own:
        return ModuleSummary(head, partial(_lowered, text, tree if keep else None))
    code = _lowered(text, tree)
    return ModuleSummary(replace(head, namesake=not _defined(code).issuperset(own)), code)


def _defined(code: Code) -> set[str]:
    """The names that a module's own statements bind, imports aside."""
    ops = code.functions[0].ops
    return {o.target.id for o in ops if isinstance(o, Bind) and o.how is not How.IMPORT and isinstance(o.target, Name)}


def _lowered(text: str, tree: ast.Module | None) -> Code:
    """The code; of what nests too deeply to go through it, that of an empty module, which says so."""
    try:
        return _deep(lambda: lower(tree or _parsed(text)))
    except SyntaxError as error:
        return replace(lower(ast.Module([], [])), failed=error.msg)


def _deep(work: Callable[[], T]) -> T:
    """What comes of some work, which may need more stack than there is."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of escapes and the like: for those who run the program
        try:
            return work()
        except (RecursionError, MemoryError):
            return _with_big_stack(work)


def _parsed(text: str) -> ast.Module:
    try:
        return ast.parse(text)
    except ValueError as error:  # null bytes, on Pythons before 3.12
        raise SyntaxError(str(error)) from None
    except SyntaxError as error:
        from leaklint import newer  # which imports LibCST

        return newer.parse(text, error)


def _with_big_stack(work: Callable[[], T]) -> T:
    done: list[T] = []
    failed: list[BaseException] = []

    def run() -> None:
        try:
            done.append(work())
        except BaseException as error:
            failed.append(error)

    size, limit = threading.stack_size(_BIG_STACK), sys.getrecursionlimit()
    sys.setrecursionlimit(_DEEP)
    try:
        thread = threading.Thread(target=run)
        thread.start()
        thread.join()
    finally:
        threading.stack_size(size)
        sys.setrecursionlimit(limit)
    if done:
        return done[0]
    if isinstance(failed[0], (RecursionError, MemoryError)):
        raise SyntaxError("nested too deeply to analyse")
    raise failed[0]
