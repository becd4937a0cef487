"""Places in the code to the session's id there: a parameter, what the framework's request says, or one handed down.

A function that has none gets it as a parameter from all its callers, or asks the framework for it where that gives
handlers what they ask for. Refused where a call cannot pass it, or may be one that nobody saw.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import libcst as cst

from leaklint.codemods import Refused, imports, parameter
from leaklint.codemods.handing import AtHand, HandedDown, functions_around
from leaklint.codemods.scope import free_name, names_in, parameters
from leaklint.finding import Edit
from leaklint.project.suspect import Handler, Passing
from leaklint.syntax import Files, Syntax

_PLAIN_TYPES = ("str", "int")


class SessionKeys:
    """The ids of one fix. What it says of one place holds only together with all its edits."""

    def __init__(self, files: Files, passing: Passing, is_id: Callable[[str], bool]) -> None:
        self._passing = passing
        self._is_id = is_id
        self._handed = HandedDown(files, passing, lambda syntax, node: self._found(syntax, node)[1])

    def at(self, syntax: Syntax, node: cst.CSTNode) -> tuple[cst.FunctionDef, str]:
        """The function that has the id of the session at a node, and the expression that is it. Raises Refused."""
        function, found = self._found(syntax, node)
        return function, found.expression

    def type_at(self, syntax: Syntax, node: cst.CSTNode) -> str:
        """The type of the id at a node, once `at` has said what it is; empty when it is not known."""
        return next(
            (found.type for function in functions_around(syntax, node) if (found := self._own(syntax, function))), ""
        )

    @property
    def edits(self) -> list[Edit]:
        """What makes the ids come there."""
        return self._handed.edits

    def _found(self, syntax: Syntax, node: cst.CSTNode) -> tuple[cst.FunctionDef, AtHand]:
        scopes = functions_around(syntax, node)
        for function in scopes:
            if found := self._own(syntax, function):
                return function, found
        for function in scopes:
            if handler := self._handed.handler(syntax, function, lambda handler: bool(handler.given)):
                return function, self._ask(syntax, function, handler)
        if scopes and self._passing.once:
            return scopes[0], self._anywhere(syntax)
        nothing = Refused(f"no id of the session is at hand at {syntax.site(node)}")
        if not scopes:
            raise nothing
        return scopes[0], self._handed.to(syntax, scopes[0], nothing)

    # --- what is there already -----------------------------------------------------------------------------------

    def _own(self, syntax: Syntax, function: cst.FunctionDef) -> AtHand | None:
        if function in self._handed.added:
            return self._handed.added[function]
        for one in parameters(function):
            if self._is_id(one.name.value) and one.default is None and one.star == "" and not _is_optional(syntax, one):
                written = syntax.code(one.annotation.annotation) if one.annotation is not None else ""
                return AtHand(one.name.value, one.name.value, written if written in _PLAIN_TYPES else "")
        handler = self._handed.handler(syntax, function, lambda handler: bool(handler.id))
        return AtHand(handler.id, handler.id, "") if handler is not None else None

    # --- what is added -------------------------------------------------------------------------------------------

    def _anywhere(self, syntax: Syntax) -> AtHand:
        package, _, rest = self._passing.once.partition(".")
        here, imported = imports.module(syntax, package)
        self._handed.also(imported)
        return AtHand("", f"{here}.{rest}", "")

    def _ask(self, syntax: Syntax, function: cst.FunctionDef, handler: Handler) -> AtHand:
        """A parameter that the framework fills in for its type."""
        for call in self._handed.calls(syntax, function):
            raise Refused(f"the program calls the handler `{function.name.value}` itself at {call[0].site(call[1])}")
        source, _, kind = handler.given.rpartition(".")
        if imports.has_member(syntax, source, kind):
            written = kind
        else:
            here, imported = imports.module(syntax, source)
            self._handed.also(imported)
            written = f"{here}.{kind}"
        if not parameter.by_position(function, []):
            raise Refused(f"`{function.name.value}` cannot ask for the request at {syntax.site(function)}")
        name = free_name("request", names_in(syntax, function))
        self._handed.add(syntax, function, f"{name}: {written}", positional=True)
        self._handed.added[function] = AtHand(name, f"{name}.{handler.attribute}", "str")
        return self._handed.added[function]


def _is_optional(syntax: Syntax, one: cst.Param) -> bool:
    return one.annotation is not None and re.search(r"None|Optional", syntax.code(one.annotation)) is not None
