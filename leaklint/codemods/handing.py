"""A value to the functions that need it: handed down to each as one more parameter by all that call it.

Refused where a call cannot pass it, or may be one that nobody saw. What the value is where nobody hands it down is for
the conversion to say.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import libcst as cst
from msgspec import Struct

from leaklint.codemods import Refused, parameter
from leaklint.codemods.names import is_bound_in, is_local
from leaklint.codemods.scope import free_name, function_of, names_in, outer_function, parameters, says
from leaklint.finding import Edit
from leaklint.project.suspect import Handler, Passing
from leaklint.syntax import Files, Syntax


class AtHand(Struct, frozen=True):
    """The value in one function."""

    name: str  # the parameter that is, or has, it
    expression: str
    type: str  # of the value, as an annotation; empty when it is not known


Source = Callable[[Syntax, cst.CSTNode], AtHand]
"""What the value is at a node, which may be handed down to there. Raises Refused."""


class HandedDown:
    """The parameters of one fix. They hold only together with all its edits."""

    def __init__(self, files: Files, passing: Passing, source: Source) -> None:
        self.files = files
        self._passing = passing
        self._source = source
        self._asked: list[cst.FunctionDef] = []  # whose callers are being asked right now
        self._edits: dict[Edit, None] = {}
        self.added: dict[cst.FunctionDef, AtHand] = {}
        self.homes: dict[cst.FunctionDef, Syntax] = {}  # the files of these

    @property
    def edits(self) -> list[Edit]:
        """What makes the values come there."""
        return list(self._edits)

    def also(self, edits: list[Edit]) -> None:
        """Take in what is needed besides: an import."""
        self._edits |= dict.fromkeys(edits)

    def handler(
        self, syntax: Syntax, function: cst.FunctionDef, wanted: Callable[[Handler], bool] = lambda _: True
    ) -> Handler | None:
        """What is known of a function that a framework calls."""
        name = syntax.span(function.name)
        for handler in self._passing.handlers:
            head = handler.head
            if head.path == syntax.path and head.line <= name.line <= head.end_line and wanted(handler):
                return handler
        return None

    def to(self, syntax: Syntax, function: cst.FunctionDef, nothing: Refused, wanted: str = "") -> AtHand:
        """A parameter that all callers pass, called `wanted` or as the first of them calls the value.

        Raises `nothing` where there is no caller that could.
        """
        if function in self.added:
            return self.added[function]
        if function in self._asked or function.decorators or self.handler(syntax, function):
            raise nothing
        calls = self.calls(syntax, function)
        if not calls:
            raise nothing
        self._asked.append(function)
        passed = [(there, call, self._source(there, call)) for there, call in calls]
        self._asked.pop()
        first = passed[0][2]
        plain = wanted or (first.expression if first.expression.isidentifier() else "session_id")
        name = wanted or free_name(plain, names_in(syntax, function))
        annotated = any(one.annotation is not None for one in parameters(function)) or function.returns is not None
        positional = parameter.by_position(function, [call for _, call, _ in passed])
        declaration = f"{name}: {first.type}" if first.type and annotated else name
        self.add(syntax, function, declaration, positional=positional)
        for where, call, value in passed:
            self.also(parameter.passed(where, call, name, value.expression, positional=positional))
        self.homes[function] = syntax
        self.added[function] = AtHand(name, name, first.type)
        return self.added[function]

    def add(self, syntax: Syntax, function: cst.FunctionDef, declaration: str, *, positional: bool) -> None:
        """Declare one more parameter."""
        self.also(parameter.declared(syntax, function, declaration, positional=positional))

    def calls(self, syntax: Syntax, function: cst.FunctionDef) -> list[tuple[Syntax, cst.Call]]:
        """All calls of the function. Raises Refused where its name is used in a way that may be another one."""
        head, name = syntax.span(function.name), function.name.value
        calls: list[tuple[Syntax, cst.Call]] = []
        for site in self._passing.calls:
            callee = site.callee
            if callee.path == syntax.path and callee.line <= head.line <= callee.end_line:
                there = self.files[site.span.path]
                call = there.node_at(site.span, cst.Call)
                calls.append((there, call))
        known = {call.func for _, call in calls}
        handler = self.handler(syntax, function) is not None
        for path, _ in self.files.with_word(name):
            there = self.files[path]
            for node in mentions(there, name):
                if node is function or node in known or is_another(syntax, function, there, node):
                    continue
                if handler and not isinstance(there.parent(node), cst.Call):
                    continue  # registered
                if self._is_call_of_another(there, node):
                    continue
                raise Refused(f"`{name}` cannot take another argument: it is used at {there.site(node)}")
        return calls

    def _is_call_of_another(self, there: Syntax, node: cst.CSTNode) -> bool:
        """Whether it is what a call runs that was seen to run another function of this name, and never this one."""
        call = there.parent(node)
        return isinstance(call, cst.Call) and call.func is node and there.span(call) in self._passing.others


def _is_of_a_module(syntax: Syntax, node: cst.Attribute) -> bool:
    """Whether an attribute may be a function of a module: what it begins with is imported somewhere in the file."""
    root: cst.BaseExpression = node
    while isinstance(root, cst.Attribute):
        root = root.value
    if not isinstance(root, cst.Name):
        return False
    name = root.value
    return any(
        re.search(rf"\b{name}\b", syntax.code(one)) is not None for one in syntax.walk(syntax.module, cst.ImportAlias)
    )


def functions_around(syntax: Syntax, node: cst.CSTNode) -> list[cst.FunctionDef]:
    """The functions that a node is in, the nearest first."""
    found: list[cst.FunctionDef] = []
    function = function_of(syntax, node)
    while function is not None:
        found.append(function)
        function = outer_function(syntax, function)
    return found


def mentions(syntax: Syntax, name: str) -> Iterator[cst.CSTNode]:
    """Names, attributes, functions and strings that are spelled so; labels and imports apart."""
    for node in syntax.walk(syntax.module, cst.Attribute, cst.FunctionDef, cst.Name, cst.SimpleString):
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
            case cst.SimpleString() if says(node, name):
                yield node


def _scope_of(syntax: Syntax, node: cst.CSTNode, name: str) -> cst.FunctionDef | None:
    """The nearest function around a node that has a variable of the name."""
    return next((one for one in functions_around(syntax, node) if is_bound_in(syntax, one, name)), None)


def is_another(syntax: Syntax, function: cst.FunctionDef, there: Syntax, node: cst.CSTNode) -> bool:
    """Whether what is spelled like the function cannot be it: a variable, or a function of another kind."""
    owner = syntax.enclosing(function, (cst.ClassDef, cst.FunctionDef))
    around = there.enclosing(node, (cst.ClassDef, cst.FunctionDef))
    match node:
        case cst.Name() if isinstance(owner, cst.FunctionDef):
            return there is not syntax or _scope_of(there, node, function.name.value) is not owner
        case cst.Name():
            return isinstance(owner, cst.ClassDef) or is_local(there, node, function.name.value)
        case cst.FunctionDef() if not isinstance(owner, cst.ClassDef):
            return around is not owner or there is not syntax
        case cst.FunctionDef() if isinstance(around, cst.ClassDef) and isinstance(owner, cst.ClassDef):
            return not (owner.bases or around.bases)  # one that overrides it would have to take the argument too
        case cst.FunctionDef():
            return True
        case cst.Attribute() if not isinstance(owner, cst.ClassDef):
            return not _is_of_a_module(there, node)
        case _:
            return False
