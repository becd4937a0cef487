"""One module's source text to its summary: parsed by the running Python, or else by LibCST and the running Python.

No I/O, no other module. Code that does not parse raises `SyntaxError`; nothing else does.
"""

from __future__ import annotations

import ast
import sys
import threading
import warnings
from collections.abc import Callable

from leaklint.index.lower import lower
from leaklint.index.summary import ModuleSummary

_DEEP = 50_000  # frames; generated code nests further than people do
_BIG_STACK = 512 * 1024 * 1024


def summarise(path: str, text: str, digest: str = "") -> ModuleSummary:
    """Lower one module.

    Args:
        path: relative to the project root, forward slashes; names the module in every later message.
        text: the decoded source.
        digest: identifies the bytes the text came from.

    Raises:
        SyntaxError: neither the running Python nor a newer one can parse the text, or it nests too deeply.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of escapes and the like: for those who run the program
        try:
            return _summarise(path, text, digest)
        except (RecursionError, MemoryError):
            return _with_big_stack(lambda: _summarise(path, text, digest))


def _summarise(path: str, text: str, digest: str) -> ModuleSummary:
    return lower(_parsed(text), path, digest, text.count("\n") + 1)


def _parsed(text: str) -> ast.Module:
    try:
        return ast.parse(text)
    except ValueError as error:  # null bytes, on Pythons before 3.12
        raise SyntaxError(str(error)) from None
    except SyntaxError as error:
        from leaklint import newer  # which imports LibCST

        return newer.parse(text, error)


def _with_big_stack(work: Callable[[], ModuleSummary]) -> ModuleSummary:
    done: list[ModuleSummary] = []
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
