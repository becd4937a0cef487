"""Places in the code to the session's id there: a parameter, what the framework's request says, or one handed down.

A function that has none gets it as a parameter from all its callers, or asks the framework for it where that gives
handlers what they ask for. Refused where a call cannot pass it, or may be one that nobody saw.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import libcst as cst

from leaklint.codemods import Refused, imports, parameter
from leaklint.codemods.names import is_local
from leaklint.codemods.scope import free_name, function_of, names_in, parameters
from leaklint.finding import Edit
from leaklint.project.suspect import Handler, Passing
from leaklint.syntax import Files, Syntax

_PLAIN_TYPES = ("str", "int")


@dataclass(frozen=True, slots=True)
class _Added:
    """A parameter that a function is going to have."""

    name: str
    id: str  # the expression that is the id there
    type: str  # of the id, as an annotation; empty when it is not known


class SessionKeys:
    """The ids of one fix. What it says of one place holds only together with all its edits."""

    def __init__(self, files: Files, passing: Passing, is_id: Callable[[str], bool]) -> None:
        self._files = files
        self._passing = passing
        self._is_id = is_id
        self._added: dict[cst.FunctionDef, _Added] = {}
        self._asked: list[cst.FunctionDef] = []  # whose callers are being asked right now
        self._edits: dict[Edit, None] = {}

    def at(self, syntax: Syntax, node: cst.CSTNode) -> tuple[cst.FunctionDef, str]:
        """The function that has the id of the session at a node, and the expression that is it. Raises Refused."""
        scopes = list(_scopes(syntax, node))
        for function in scopes:
            if found := self._own(syntax, function):
                return function, found.id
        for function in scopes:
            if handler := self._handler(syntax, function, lambda handler: bool(handler.given)):
                return function, self._ask(syntax, function, handler).id
        if scopes and self._passing.once:
            return scopes[0], self._anywhere(syntax)
        if not scopes:
            raise Refused(f"no id of the session is at hand at {syntax.site(node)}")
        return scopes[0], self._hand_down(syntax, scopes[0], node).id

    def type_at(self, syntax: Syntax, node: cst.CSTNode) -> str:
        """The type of the id at a node, once `at` has said what it is; empty when it is not known."""
        return next((found.type for function in _scopes(syntax, node) if (found := self._own(syntax, function))), "")

    @property
    def edits(self) -> list[Edit]:
        """What makes the ids come there."""
        return list(self._edits)

    # --- what is there already -----------------------------------------------------------------------------------

    def _own(self, syntax: Syntax, function: cst.FunctionDef) -> _Added | None:
        if function in self._added:
            return self._added[function]
        for one in parameters(function):
            if self._is_id(one.name.value) and one.default is None and one.star == "" and not _is_optional(syntax, one):
                written = syntax.code(one.annotation.annotation) if one.annotation is not None else ""
                return _Added(one.name.value, one.name.value, written if written in _PLAIN_TYPES else "")
        handler = self._handler(syntax, function, lambda handler: bool(handler.id))
        return _Added(handler.id, handler.id, "") if handler is not None else None

    def _handler(self, syntax: Syntax, function: cst.FunctionDef, wanted: Callable[[Handler], bool]) -> Handler | None:
        name = syntax.span(function.name)
        for handler in self._passing.handlers:
            head = handler.head
            if head.path == syntax.path and head.line <= name.line <= head.end_line and wanted(handler):
                return handler
        return None

    # --- what is added -------------------------------------------------------------------------------------------

    def _anywhere(self, syntax: Syntax) -> str:
        package, _, rest = self._passing.once.partition(".")
        here, imported = imports.module(syntax, package)
        self._edits |= dict.fromkeys(imported)
        return f"{here}.{rest}"

    def _ask(self, syntax: Syntax, function: cst.FunctionDef, handler: Handler) -> _Added:
        """A parameter that the framework fills in for its type."""
        for call in self._calls(syntax, function):
            raise Refused(f"the program calls the handler `{function.name.value}` itself at {call[0].site(call[1])}")
        source, _, kind = handler.given.rpartition(".")
        if imports.has_member(syntax, source, kind):
            written = kind
        else:
            here, imported = imports.module(syntax, source)
            self._edits |= dict.fromkeys(imported)
            written = f"{here}.{kind}"
        if not parameter.by_position(function, []):
            raise Refused(f"`{function.name.value}` cannot ask for the request at {syntax.site(function)}")
        name = free_name("request", names_in(syntax, function))
        self._add(syntax, function, f"{name}: {written}", positional=True)
        self._added[function] = _Added(name, f"{name}.{handler.attribute}", "str")
        return self._added[function]

    def _hand_down(self, syntax: Syntax, function: cst.FunctionDef, node: cst.CSTNode) -> _Added:
        """A parameter that all callers pass."""
        nothing = Refused(f"no id of the session is at hand at {syntax.site(node)}")
        if function in self._asked or function.decorators or self._handler(syntax, function, lambda _: True):
            raise nothing
        calls = self._calls(syntax, function)
        if not calls:
            raise nothing
        self._asked.append(function)
        passed = [(there, call, self.at(there, call)[1]) for there, call in calls]
        self._asked.pop()
        first = passed[0][2]
        name = free_name(first if first.isidentifier() else "session_id", names_in(syntax, function))
        there, call, _ = passed[0]
        type_ = self.type_at(there, call)
        annotated = any(one.annotation is not None for one in parameters(function)) or function.returns is not None
        positional = parameter.by_position(function, [call for _, call, _ in passed])
        declaration = f"{name}: {type_}" if type_ and annotated else name
        self._add(syntax, function, declaration, positional=positional)
        for where, call, expression in passed:
            self._edits |= dict.fromkeys(parameter.passed(where, call, name, expression, positional=positional))
        self._added[function] = _Added(name, name, type_)
        return self._added[function]

    def _add(self, syntax: Syntax, function: cst.FunctionDef, declaration: str, *, positional: bool) -> None:
        edits = parameter.declared(syntax, function, declaration, positional=positional)
        self._edits |= dict.fromkeys(edits)

    # --- calls ---------------------------------------------------------------------------------------------------

    def _calls(self, syntax: Syntax, function: cst.FunctionDef) -> list[tuple[Syntax, cst.Call]]:
        """All calls of the function. Raises Refused where its name is used in a way that may be another one."""
        head, name = syntax.span(function.name), function.name.value
        calls: list[tuple[Syntax, cst.Call]] = []
        for site in self._passing.calls:
            callee = site.callee
            if callee.path == syntax.path and callee.line <= head.line <= callee.end_line:
                there = self._files[site.span.path]
                call = there.node_at(site.span, cst.Call)
                calls.append((there, call))
        known = {call.func for _, call in calls}
        handler = self._handler(syntax, function, lambda _: True) is not None
        for path, text in self._files.texts.items():
            if not re.search(rf"\b{re.escape(name)}\b", text):
                continue
            there = self._files[path]
            for node in _mentions(there, name):
                if node is function or node in known or _is_another(syntax, function, there, node):
                    continue
                if handler and not isinstance(there.parent(node), cst.Call):
                    continue  # registered
                raise Refused(f"`{name}` cannot take another argument: it is used at {there.site(node)}")
        return calls


def _scopes(syntax: Syntax, node: cst.CSTNode) -> Iterator[cst.FunctionDef]:
    """The functions around a node, the nearest first."""
    function = function_of(syntax, node)
    while function is not None:
        yield function
        function = function_of(syntax, function)


def _is_optional(syntax: Syntax, one: cst.Param) -> bool:
    return one.annotation is not None and re.search(r"None|Optional", syntax.code(one.annotation)) is not None


def _mentions(syntax: Syntax, name: str) -> Iterator[cst.CSTNode]:
    """Names, attributes, functions and strings that are spelled so; labels and imports apart."""
    for node in syntax.walk(syntax.module):
        match node:
            case cst.Attribute(attr=cst.Name(value=found)) | cst.FunctionDef(name=cst.Name(value=found)):
                if found == name:
                    yield node
            case cst.Name(value=found) if found == name:
                above = syntax.parent(node)
                if isinstance(above, cst.FunctionDef | cst.Attribute | cst.ImportAlias | cst.Param | cst.ClassDef):
                    continue
                if isinstance(above, cst.Arg) and above.keyword is node:
                    continue
                yield node
            case cst.SimpleString() if node.evaluated_value == name:
                yield node


def _is_another(syntax: Syntax, function: cst.FunctionDef, there: Syntax, node: cst.CSTNode) -> bool:
    """Whether what is spelled like the function cannot be it: a variable, or a function of another kind."""
    owner = syntax.enclosing(function, (cst.ClassDef, cst.FunctionDef))
    around = there.enclosing(node, (cst.ClassDef, cst.FunctionDef))
    match node:
        case cst.Name():
            return isinstance(owner, cst.ClassDef) or is_local(there, node, function.name.value)
        case cst.FunctionDef() if not isinstance(owner, cst.ClassDef):
            return around is not owner or there is not syntax
        case cst.FunctionDef() if isinstance(around, cst.ClassDef) and isinstance(owner, cst.ClassDef):
            return not (owner.bases or around.bases)  # one that overrides it would have to take the argument too
        case cst.FunctionDef():
            return True
        case cst.Attribute(value=cst.Name(value="self" | "cls")):
            return not isinstance(owner, cst.ClassDef)
        case _:
            return False
