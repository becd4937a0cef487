"""A program's modules to its units: code of two of them is never in one process, because nothing imports both.

An import keeps modules together, also one of a test, and the name of a module in a text of one that a request can
meet; so do a package, and a framework that runs modules by file. Reads heads of summaries only: nothing is evaluated.
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
    groups = _groups(program, models, near) if near.taking and not program.package else []
    taking = frozenset(near.taking)
    stray = [group[0] for group in groups if len(group) == 1 and not package_of(program, group[0])]
    alive = [group for group in groups if not taking.isdisjoint(group) and group[0] not in stray]
    if len(alive) < 2:
        return (Unit(program.modules, _paths(near.modules)),)
    own_units = [*alive, stray] if not taking.isdisjoint(stray) else alive
    return tuple(
        Unit(tuple(sorted({*group, *stray}, key=lambda module: module.path)), _paths(near.modules.intersection(group)))
        for group in own_units
    )


def _paths(modules: Iterable[Module]) -> frozenset[str]:
    return frozenset([module.path for module in modules])


def _groups(program: Program, models: Models, near: Served) -> list[list[Module]]:
    """The modules in connected groups; within one by path."""
    heads = {module: module for module in program.modules}
    folders = _folders(program)
    meant: dict[tuple[tuple[str, ...], str], tuple[Module, ...]] = {}
    first: dict[object, Module] = {}  # what keeps modules together -> one of them
    for module in program.modules:
        for other in near.imports.get(module) or imported_by(program, module):
            _join(heads, module, other)
        for name in _names(program, folders, module, by_text=module in near.modules):
            key = (module.parts[:-1], name)
            if key not in meant:
                meant[key] = tuple(_meant(program, folders, module, name))
            for other in meant[key]:
                _join(heads, module, other)
        for tie in _ties(program, models, module):
            _join(heads, module, first.setdefault(tie, module))
    groups: dict[Module, list[Module]] = defaultdict(list)
    for module in program.modules:
        groups[_head(heads, module)].append(module)
    return list(groups.values())


def _join(heads: dict[Module, Module], one: Module, other: Module) -> None:
    heads[_head(heads, one)] = _head(heads, other)


def _head(heads: dict[Module, Module], module: Module) -> Module:
    while heads[module] is not module:
        heads[module] = module = heads[heads[module]]
    return module


def _ties(program: Program, models: Models, module: Module) -> Iterable[object]:
    """What a module has in common with all that belong to it, imports aside."""
    package = package_of(program, module)
    if package:
        yield package
    elif any(not i.level and i.module.partition(".")[0] in models.scripts for i in module.summary.imports):
        yield models


# --- what a name leads to ---------------------------------------------------------------------------------------------


def _names(program: Program, folders: _Folders, module: Module, *, by_text: bool) -> Iterable[str]:
    """The absolute names of modules in its imports that `imported_by` has no answer for, and in its texts."""
    for name in {imported.module: None for imported in module.summary.imports if not imported.level}:
        yield name
    for imported in module.summary.imports:
        if not imported.level and imported.name in folders:
            yield f"{imported.module}.{imported.name}"
    for text in sorted(module.dotted()) if by_text else ():
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
