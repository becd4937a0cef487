"""A program's modules to its units: code of two of them is never in one process, because nothing imports both.

An import keeps modules together, also one of a test, and the name of a module in a text of one that a request can
meet; so do a package, and a framework that runs modules by file. Reads heads of summaries, and what texts quote:
nothing is evaluated.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import TypeAlias

from msgspec import Struct

from leaklint.models import Models
from leaklint.project.program import Module, Program, common
from leaklint.project.served import Served, imported_by, package_of, served, with_packages

_Folders: TypeAlias = "dict[str, dict[tuple[str, ...], list[Module]]]"  # by the last part of a folder's name


class Unit(Struct, frozen=True):
    """Modules that can be solved without the others.

    With the code that may share a process are the modules that stray: they are a unit of their own, and not run here,
    but may say what holds for everybody's data, as migrations do.
    """

    modules: tuple[Module, ...]  # by path
    served: frozenset[str]  # paths of those that can run beside a request


def units(program: Program, models: Models, own: Sequence[Module]) -> tuple[Unit, ...]:
    """What is to be solved, each unit for itself, of a program whose modules but for tests are `own`.

    Where there is one it is all of the program.
    """
    near = served(program, models, own)
    taking = frozenset(near.taking)
    heads = {module: module for module in program.modules}
    if taking and not program.package:
        folders = _folders(program)
        _join_by_imports(program, models, heads, near, folders)
        if len(_alive(program, heads, taking)) > 1:  # else texts, which take a while, could change nothing
            served_in_order = (module for module in program.modules if module in near.modules)
            _join_by_names(program, heads, folders, ((m, _quoted(program, m)) for m in served_in_order))
    alive = _alive(program, heads, taking)
    if len(alive) < 2:
        return (Unit(program.modules, _paths(near.modules)),)
    stray = [group[0] for group in _groups(heads) if _is_stray(program, group)]
    own_units = [*alive, stray] if not taking.isdisjoint(stray) else alive
    return tuple(
        Unit(tuple(sorted({*group, *stray}, key=lambda module: module.path)), _paths(near.modules.intersection(group)))
        for group in own_units
    )


def _paths(modules: Iterable[Module]) -> frozenset[str]:
    return frozenset([module.path for module in modules])


# --- modules that belong together -------------------------------------------------------------------------------------

_Heads: TypeAlias = "dict[Module, Module]"  # one of its group for each module, itself for one in each group


def _groups(heads: _Heads) -> list[list[Module]]:
    """The modules that are joined, in the order of `heads`."""
    groups: dict[Module, list[Module]] = defaultdict(list)
    for module in heads:
        groups[_head(heads, module)].append(module)
    return list(groups.values())


def _alive(program: Program, heads: _Heads, taking: frozenset[Module]) -> list[list[Module]]:
    """The groups that take requests, but for modules that stray."""
    return [group for group in _groups(heads) if not taking.isdisjoint(group) and not _is_stray(program, group)]


def _is_stray(program: Program, group: Sequence[Module]) -> bool:
    return len(group) == 1 and not package_of(program, group[0])


def _join(heads: _Heads, one: Module, other: Module) -> None:
    heads[_head(heads, one)] = _head(heads, other)


def _head(heads: _Heads, module: Module) -> Module:
    while heads[module] is not module:
        heads[module] = module = heads[heads[module]]
    return module


def _join_by_imports(program: Program, models: Models, heads: _Heads, near: Served, folders: _Folders) -> None:
    first: dict[object, Module] = {}  # what keeps modules together -> one of them
    for module in program.modules:
        for other in near.imports.get(module) or imported_by(program, module):
            _join(heads, module, other)
        for tie in _ties(program, models, module):
            _join(heads, module, first.setdefault(tie, module))
    _join_by_names(program, heads, folders, ((module, _unanswered(folders, module)) for module in program.modules))


def _ties(program: Program, models: Models, module: Module) -> Iterable[object]:
    """What a module has in common with all that belong to it, imports aside."""
    package = package_of(program, module)
    if package:
        yield package
    elif any(not i.level and i.module.partition(".")[0] in models.scripts for i in module.summary.imports):
        yield models


def _join_by_names(
    program: Program, heads: _Heads, folders: _Folders, named: Iterable[tuple[Module, Iterable[str]]]
) -> None:
    """Join modules to what absolute names in them mean."""
    meant: dict[tuple[tuple[str, ...], str], tuple[Module, ...]] = {}
    for module, names in named:
        for name in names:
            key = (module.parts[:-1], name)
            if key not in meant:
                meant[key] = tuple(_meant(program, folders, module, name))
            for other in meant[key]:
                _join(heads, module, other)


# --- what a name leads to ---------------------------------------------------------------------------------------------


def _unanswered(folders: _Folders, module: Module) -> Iterable[str]:
    """The names of modules in absolute imports that `imported_by` may have no answer for."""
    yield from {imported.module: None for imported in module.summary.imports if not imported.level}
    for imported in module.summary.imports:
        if not imported.level and imported.name in folders:
            yield f"{imported.module}.{imported.name}"


def _quoted(program: Program, module: Module) -> Iterable[str]:
    """The names in texts, and what a module of the program could be called of which they name a part."""
    for text in sorted(module.dotted()):
        name, colon, _ = text.rstrip(".").partition(":")
        if colon or "." in name:
            yield name
        while name.count(".") > 1 and program.find(module, name, 0) is None:
            name = name.rpartition(".")[0]
            yield name


def _meant(program: Program, folders: _Folders, module: Module, name: str) -> Iterable[Module]:
    """The module of that name with its packages, or all that is in the nearest folders of that name."""
    found = program.find(module, name, 0)
    if found is not None:
        yield from with_packages(program, found)
        return
    wanted = tuple(name.split("."))
    fitting = [folder for folder in folders.get(wanted[-1], ()) if folder[-len(wanted) :] == wanted]
    nearest = max((common(folder, module.parts) for folder in fitting), default=0)
    for folder in fitting:
        if common(folder, module.parts) == nearest:
            yield from folders[wanted[-1]][folder]


def _folders(program: Program) -> _Folders:
    """The modules in each folder that is no package and may be named in an import all the same."""
    found: _Folders = {}
    for module in program.modules:
        for depth in range(1, len(module.parts)):
            folder = module.parts[:depth]
            if program.at(folder) is None:
                found.setdefault(folder[-1], {}).setdefault(folder, []).append(module)
    return found
