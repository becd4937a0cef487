"""Which modules can run in a process that takes requests: the others need not be run to find what a request leaks.

A request comes in where a module imports what makes entry points, or defines what is known as one by its shape. The
top-level packages of these modules, whatever imports one of theirs, and all that any of those imports may run beside
it. In a repository with one package that is everything; in a folder of many packages it is often little. Reads
summaries only: nothing is evaluated.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from itertools import accumulate

from msgspec import Struct

from leaklint.index.summary import Imported
from leaklint.models import AttributeModel, CallModel, Models
from leaklint.project.program import Module, Program


class Served(Struct, frozen=True):
    """Where requests come in, and all that can run beside one: both empty where no module has a way in."""

    taking: tuple[Module, ...]
    modules: frozenset[Module]
    imports: Mapping[Module, Collection[Module]]  # what each of the modules asked about may import


def served(program: Program, models: Models, modules: Collection[Module]) -> Served:
    """Which of these modules can run beside a request."""
    ways = _Ways(models)
    program.wanted.update(ways.words)
    imports = {module: imported_by(program, module) for module in modules}
    taking = tuple([module for module in modules if ways.lead_into(program, module)])
    packages = {package_of(program, module) for module in taking}
    importing: dict[Module, list[Module]] = defaultdict(list)
    for module, targets in imports.items():
        for target in targets:
            importing[target].append(module)
    around = _closed([module for module in modules if package_of(program, module) in packages], importing)
    return Served(taking, frozenset(_closed(around, imports) & imports.keys()), imports)


def package_of(program: Program, module: Module) -> tuple[str, ...]:
    """The top-level package of a module; one and the same for all modules that lie loose."""
    top = program.at(module.parts[:1])
    return top.parts if top is not None and top.is_package and not program.package else ()


class _Ways:
    """What the models say brings requests into a module."""

    def __init__(self, models: Models) -> None:
        self.models = models
        self.names: dict[str, set[tuple[str, str]]] = {}  # package -> (what follows, word to be seen)
        self.words: set[str] = set()  # of the standard library, which everybody imports for other reasons
        self.parts: set[str] = set()  # of names of generated modules
        shaped = [(shape, entry.function) for shape, entries in models.shapes.items() for entry in entries]
        self.shapes = {shape for shape, functions in shaped if not functions}  # under whatever name
        self.signatures = {(function, *shape) for shape, functions in shaped for function in functions}
        for pattern in _patterns(models):
            package, _, rest = pattern.partition(".")
            last = rest.rpartition(".")[2]
            if "*" in package:
                self.parts.add(package.strip("*"))
            elif package in sys.stdlib_module_names:
                self.words.update((last,) if last.isidentifier() else ())
            else:
                way = (rest.partition(".")[0] or "*", last if _is_function(pattern) else "")
                self.names.setdefault(package, set()).add(way)

    def lead_into(self, program: Program, module: Module) -> bool:
        """Whether a request may come in by something in the module."""
        summary = module.summary
        if not self.words.isdisjoint(summary.words) and not self.words.isdisjoint(module.attributes):
            return True
        if any(i.name in self.words for i in summary.imports):
            return True
        if not self.signatures.isdisjoint(summary.head.signatures):
            return True
        if any(signature[1:] in self.shapes for signature in summary.head.signatures):
            return True
        if any(name in self.models.settings for name, *_ in summary.head.classes):
            return True
        if any(module.mentions(part) for part in sorted(self.parts)):
            return True
        return any(
            not i.level and self._bring(module, i) and find_imported(program, module, i) is None
            for i in summary.imports
        )

    def _bring(self, module: Module, imported: Imported) -> bool:
        ways = self.names.get(imported.module.partition(".")[0])
        if ways is None:
            return False
        parts = [*imported.module.split("."), *((imported.name,) if imported.name else ())]
        for inside, word in ways:
            if "*" in inside or inside[:1].isupper() or inside == word:
                reached = True
            else:
                reached = module.names(inside) if len(parts) == 1 else inside == parts[1]
            if reached and (not word or module.mentions(word)):
                return True
        return False


def _patterns(models: Models) -> Iterable[str]:
    """The dotted names by which functions become handlers of requests, under all their names."""
    found: list[str] = []
    for model in models.models:
        for entry in model.entry:
            if entry.phase == "request":
                found += (*entry.decorator, *entry.call, *entry.base, *entry.script)
        rows: tuple[CallModel | AttributeModel, ...] = (*model.call, *model.attribute)
        for row in rows:
            if row.type in models.applications:
                found += [f"{name.rpartition('.')[0] or name}.*" for name in row.name]
    yield from found
    below: dict[str, list[str]] = defaultdict(list)  # what follows each name that patterns begin with
    for pattern in found:
        for name in accumulate(pattern.split("."), "{}.{}".format):
            below[name].append(pattern[len(name) :])
    for alias, name in models.aliases.items():
        inner = alias.startswith(f"{name}.")  # then other modules of that name are not in it
        yield from (alias + rest for rest in below.get(name, ()) if not inner or not _leads_to_module(rest))


def _leads_to_module(rest: str) -> bool:
    parts = rest.split(".")[1:]
    return len(parts) > 1 and not parts[0][:1].isupper()


def _is_function(pattern: str) -> bool:
    """Whether a name is a module's own: whoever uses it has to write its last part, or have it from one who did."""
    *owners, _ = pattern.split(".")
    return bool(owners) and "*" not in pattern and not any(part[:1].isupper() for part in owners)


# --- what imports what -----------------------------------------------------------------------------------------------


def imported_by(program: Program, module: Module) -> list[Module]:
    """The modules that one may import, wherever in it, with the packages that they are in."""
    found: dict[Module, None] = {module: None}
    outer: dict[tuple[str, int], None] = {}
    for imported in module.summary.imports:
        inner = _inner(program, module, imported)
        if inner is not None:
            found[inner] = None
        else:
            outer[imported.module, imported.level] = None
    for name, level in outer:
        target = program.find(module, name, level)
        if target is not None:
            found[target] = None
    return list(dict.fromkeys(one for target in found for one in with_packages(program, target)))


def with_packages(program: Program, module: Module) -> Iterable[Module]:
    """A module and the packages that it is in."""
    yield module
    for depth in range(1, len(module.parts)):
        package = program.at(module.parts[:depth])
        if package is not None:
            yield package


def find_imported(program: Program, module: Module, imported: Imported) -> Module | None:
    """The module of the program that an import means: `b` of `from a import b` where that is one."""
    inner = _inner(program, module, imported)
    return program.find(module, imported.module, imported.level) if inner is None else inner


def _inner(program: Program, module: Module, imported: Imported) -> Module | None:
    if not program.ends_a_name(imported.name):
        return None
    full = f"{imported.module}.{imported.name}" if imported.module else imported.name
    return program.find(module, full, imported.level)


def _closed(start: Iterable[Module], following: Mapping[Module, Collection[Module]]) -> set[Module]:
    """All that can be reached."""
    found = set(start)
    waiting = list(found)
    while waiting:
        new = set(following.get(waiting.pop(), ())) - found
        found |= new
        waiting += new
    return found
