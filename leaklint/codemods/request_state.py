"""An attribute of what the framework has for the whole application, to the same of what it has for each request.

Every place in the program that says the attribute must reach it through a request that is a parameter there.
"""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from leaklint.codemods import Refused, imports, offer
from leaklint.codemods.scope import function_of, outer_function, parameters, says
from leaklint.codemods.uses import BY_NAME
from leaklint.finding import Edit, Fix, Safety
from leaklint.models import HomeModel, Models
from leaklint.project.suspect import WriteSuspect
from leaklint.syntax import Files, Syntax


def keep_on_request(suspect: WriteSuspect, files: Files, models: Models) -> Fix:
    """Keep it on the request, where the models say what is taken for its state by mistake."""
    title = f"Keep `{suspect.place.slot}` on the request"
    return offer(title, Safety.SUGGESTED, lambda: _converted(suspect, files, models))


def _converted(suspect: WriteSuspect, files: Files, models: Models) -> list[Edit]:
    name = suspect.place.slot
    if not suspect.place.library or not name:
        raise Refused(f"`{name}` is no state of the application")
    if suspect.apart is not None:
        where = f"{suspect.apart.span.path}:{suspect.apart.span.line}"
        raise Refused(f"`{name}` is used at {where} by what does not set it: another request, or start-up")
    edits: list[Edit] = []
    for path, _ in files.with_word(name):
        syntax = files[path]
        for node in _mentions(syntax, name):
            holder, new = _on_request(syntax, node, models)
            edits += syntax.rewrite({holder: new})
    return edits


def _mentions(syntax: Syntax, name: str) -> Iterator[cst.CSTNode]:
    """Attributes of that name, and calls that say it in a string."""
    for node in syntax.walk(syntax.module, cst.Attribute, cst.Call):
        match node:
            case cst.Attribute(attr=cst.Name(value=found)) if found == name:
                yield node
            case cst.Call(func=cst.Name(value=by), args=[_, second, *_]) if by in BY_NAME:
                if isinstance(second.value, cst.SimpleString) and says(second.value, name):
                    yield node


def _on_request(syntax: Syntax, node: cst.CSTNode, models: Models) -> tuple[cst.CSTNode, str]:
    """The holder of the attribute, `request.app.state`, and what it becomes."""
    if isinstance(node, cst.Attribute):
        said = syntax.code(node.value)
        for home in models.homes:
            shared = home.shared.partition(".")[2]
            request = said.removesuffix(f".{shared}")
            if shared and request != said and _is_request(syntax, node, request, home, models):
                return node.value, f"{request}.{home.use.strip('`').partition('.')[2]}"
    raise Refused(f"it is not reached through a request at {syntax.site(node)}")


def _is_request(syntax: Syntax, node: cst.CSTNode, name: str, home: HomeModel, models: Models) -> bool:
    """Whether the name is a parameter of a function around the node whose annotation is the request's class."""
    function = function_of(syntax, node)
    while function is not None:
        for one in parameters(function):
            if one.name.value == name and one.annotation is not None:
                written = imports.full_name(syntax, syntax.code(one.annotation.annotation))
                return models.canonical(written) == home.type
        function = outer_function(syntax, function)
    return False
