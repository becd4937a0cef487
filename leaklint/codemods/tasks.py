"""A call that hands a task to a worker, to whether the function that the worker runs takes an argument of a name.

By what the call says the task is called: a function, or the name that a decorator gives it. In doubt it does not.
"""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from leaklint.codemods.calls import last_name
from leaklint.codemods.scope import parameters
from leaklint.syntax import Files, Syntax


def takes(syntax: Syntax, call: cst.Call, name: str, files: Files) -> bool:
    """Whether all functions that the call may mean have a parameter `name`, or take any keyword; and there is one."""
    found = list(_functions(syntax, call, files))
    return bool(found) and all(
        function.params.star_kwarg is not None or name in {one.name.value for one in parameters(function)}
        for function in found
    )


def _functions(syntax: Syntax, call: cst.Call, files: Files) -> Iterator[cst.FunctionDef]:
    named = syntax.code(call.args[0].value) if call.args and call.args[0].keyword is None else ""
    function = last_name(call.func.value) if isinstance(call.func, cst.Attribute) else ""
    for path, text in files.texts.items():
        if not (named and named in text) and f"def {function}(" not in text:
            continue
        there = files[path]
        for node in there.walk(there.module, cst.FunctionDef):
            if not node.decorators:
                continue
            if node.name.value == function or (named and _is_called(there, node, named)):
                yield node


def _is_called(syntax: Syntax, function: cst.FunctionDef, named: str) -> bool:
    """Whether a decorator gives the function the name."""
    return any(
        isinstance(one.decorator, cst.Call)
        and any(
            argument.keyword is not None and argument.keyword.value == "name" and syntax.code(argument.value) == named
            for argument in one.decorator.args
        )
        for one in function.decorators
    )
