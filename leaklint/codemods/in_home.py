"""A module-level name that requests bind, to what the framework itself keeps for each request or each session.

Everywhere the name is used a request of that framework must be running; what may run in a thread or task of its own is
refused, and so is a name that the program keeps there already.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import partial

import libcst as cst

from leaklint.codemods import Refused, first, imports, offer
from leaklint.codemods.handing import mentions
from leaklint.codemods.name_to_contextvar import Site, refuse_what_is_left, sites_of, the_declaration
from leaklint.codemods.names import global_statements, refuse_other_meanings, refuse_strings, without_declarations
from leaklint.finding import Edit, Fix, Safety, Span
from leaklint.models import HomeModel
from leaklint.project.suspect import PlaceKind, WriteSuspect
from leaklint.syntax import REMOVE, Files, Replacement, Syntax


def keep_in_home(suspect: WriteSuspect, files: Files) -> Fix:
    """Keep it for the request where that is all who reads it, else for the session.

    There is no reason to tell where the framework has no such place.
    """
    scopes = ("request", "session") if suspect.apart is None else ("session",)
    homes = [one for scope in scopes for one in suspect.passing.homes if one.scope == scope and one.reads and one.sets]
    if not homes:
        return Fix("", Safety.SUGGESTED)
    return first(*(partial(_kept, suspect, files, home) for home in homes))


def _kept(suspect: WriteSuspect, files: Files, home: HomeModel) -> Fix:
    title = f"Keep `{suspect.place.slot}` in {home.use}"
    return offer(title, Safety.SUGGESTED, lambda: _converted(suspect, files, home))


def _converted(suspect: WriteSuspect, files: Files, home: HomeModel) -> list[Edit]:
    name = name_there(suspect, files)
    syntax, declaration = the_declaration(suspect, files)
    sites = [site for use in suspect.uses for site in sites_of(files, use, declaration)]
    refuse_other_meanings(syntax, suspect.place.slot, {declaration, *(site.node for site in sites)})
    refuse_strings(syntax, suspect.place.slot, files)
    if home.scope == "request":
        refuse_what_is_left(suspect, sites)
    refuse_taken(home, name, files)
    refuse_threads(suspect, {site.function: site.syntax for site in sites}, files)
    assert declaration.value is not None  # a constant
    value = syntax.code(declaration.value)
    edits = list(syntax.rewrite({declaration: REMOVE}))
    for there in dict.fromkeys(site.syntax for site in sites):
        own = [site for site in sites if site.syntax is there]
        edits += _rewritten(there, own, home, name, "" if value == "None" else f", {value}", suspect.place.slot)
    for there in dict.fromkeys([syntax, *(site.syntax for site in sites)]):
        edits += imports.unused(there, [edit for edit in edits if edit.path == there.path])
    return edits


def name_there(suspect: WriteSuspect, files: Files) -> str:
    """The name to keep it under: its own, with that of its class or, where another module has the same, its module."""
    place = suspect.place
    own, last = place.slot.strip("_") or place.slot, place.owner.rpartition(".")[2]
    if place.kind is PlaceKind.INSTANCE:
        return f"{re.sub(r'(?<=[a-z0-9])(?=[A-Z])', '_', last).lower()}_{own}"
    bound = re.compile(rf"^_*{re.escape(own)}_*\s*[:=]", re.MULTILINE)
    return own if sum(bound.search(text) is not None for text in files.texts.values()) < 2 else f"{last}_{own}"


def refuse_taken(home: HomeModel, name: str, files: Files) -> None:
    """Raise Refused where something else is kept under the name there."""
    if name in home.taken:
        raise Refused(f"{home.use} has a `{name}` of the framework's")
    member = re.escape(member_of(home.reads))
    taken = re.compile(rf"""\b{member}\.{name}\b|\b{member}(\.\w+\(|\[)["']{name}["']""")
    for path, text in files.texts.items():
        if match := taken.search(text):
            raise Refused(f"{home.use} has a `{name}` already: {path}:{text.count(chr(10), 0, match.start()) + 1}")


def refuse_threads(suspect: WriteSuspect, users: Mapping[cst.FunctionDef, Syntax], files: Files) -> None:
    """Raise Refused where a function that uses it, or calls one that does, is handed on and may run somewhere else."""
    handlers = {(one.head.path, line) for one in suspect.passing.handlers for line in _lines(one.head)}
    heads = {(call.callee.path, line) for call in suspect.passing.calls for line in _lines(call.callee)}
    functions = dict(users)
    for path in {path for path, _ in heads}:
        there = files[path]
        for called in there.walk(there.module, cst.FunctionDef):
            if (path, there.span(called.name).line) in heads:
                functions[called] = there
    for function, syntax in functions.items():
        if (syntax.path, syntax.span(function.name).line) in handlers:
            continue
        name = function.name.value
        for path, _ in files.with_word(name):
            for node in mentions(files[path], name):
                above = files[path].parent(node)
                if isinstance(node, cst.FunctionDef) or (isinstance(above, cst.Call) and above.func is node):
                    continue
                raise Refused(f"`{name}` may run where no request does: {files[path].site(node)}")


def _lines(span: Span) -> range:
    return range(span.line, span.end_line + 1)


def member_of(template: str) -> str:
    """`user_session` of `chainlit.user_session.get(...)`."""
    return template.split(".")[1].partition("[")[0]


def _rewritten(
    syntax: Syntax, sites: Iterable[Site], home: HomeModel, name: str, default: str, slot: str
) -> list[Edit]:
    package, _, reads = home.reads.partition(".")
    prefix, edits = reached(syntax, package, member_of(home.reads), home.called)
    reads = prefix + reads.removeprefix(member_of(home.reads)).format(name=name, default=default)
    before, _, behind = home.sets.partition(".")[2].removeprefix(member_of(home.sets)).partition("{value}")
    replaced: dict[cst.CSTNode, Replacement] = {}
    for site in sites:
        replaced |= without_declarations(syntax, global_statements(syntax, site.function, slot), slot)
        if site.store is None:
            replaced[site.node] = reads
            continue
        value = site.store.value
        assert value is not None  # a store
        start, (end, last) = syntax.range(site.store)[0], syntax.whole(value)
        bare = isinstance(value, cst.Tuple) and not value.lpar
        opened, closed = ("(", ")") if bare else ("", "")
        head = f"{prefix}{before.format(name=name)}{opened}"
        edits.append(Edit(syntax.path, start, end, syntax.text[start:end], head))
        if closed + behind:
            edits.append(syntax.insert(last, closed + behind))
    return [*edits, *syntax.rewrite(replaced)]


def reached(syntax: Syntax, package: str, member: str, called: str = "") -> tuple[str, list[Edit]]:
    """How the file reaches it: by the module if it imports that, else by its name."""
    if not imports.has_module(syntax, package) and imports.has_source(syntax, package):
        try:
            return imports.member(syntax, package, member)
        except Refused:
            pass  # the name means something else there
    here, edits = imports.module(syntax, package, called)
    return f"{here}.{member}", edits
