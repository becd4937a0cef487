"""What a rule is, and how rules are found: one module a rule in the `rules` folder, loaded by name.

A rule judges what the project stage suspects, with the suspect's LibCST node. It never searches for what it reports.
"""

from __future__ import annotations

import ast
import importlib
import importlib.util
import sys
from collections.abc import Callable, Iterator, Mapping
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, TypeAlias

from msgspec import Struct

from leaklint.finding import Confidence, Family, Fix, Safety, Severity

if TYPE_CHECKING:
    from leaklint.models import Models
    from leaklint.project.suspect import Suspect
    from leaklint.syntax import Files

_PACKAGE = "leaklint.rules"


class Sources(Struct, frozen=True):
    """What a codemod may open: any file of the program as LibCST, and what the models say of frameworks."""

    open: Files  # by path, called or as a mapping; raises NotAnalysed
    models: Models

    def is_session(self, name: str) -> bool:
        """Whether a variable of that name is the id of a session."""
        return self.models.concept(name) == "session"


Codemod: TypeAlias = Callable[[Sources], Fix]


class Verdict(Struct, frozen=True):
    """A rule's word on a suspect."""

    message: str  # what is kept and where; names in backticks, lower case, no full stop
    help: str = ""  # what to do
    because: tuple[str, ...] = ()  # clauses beyond those every finding of the kind gets
    confidence: Confidence | None = None  # when the facts alone would be wrong
    severity: Severity | None = None  # when it is not the rule's
    codemods: tuple[Codemod, ...] = ()  # the first that is not refused wins


class Rule:
    """Base of all rules; `judge` is called once for each suspect of the watched kinds.

    A rule judges facts and never looks at code: a file is opened for a codemod or not at all.
    """

    name: ClassVar[str]
    family: ClassVar[Family]
    severity: ClassVar[Severity]
    fix: ClassVar[Safety | None] = None  # the best tier it offers
    cwe: ClassVar[tuple[int, ...]] = ()
    default: ClassVar[bool] = True  # whether it runs where nobody selects it by its name
    watches: ClassVar[tuple[type[Suspect], ...]] = ()

    def wants(self, suspect: Suspect) -> bool:
        """Whether this rule judges the suspect at all; cheap, before any file is opened."""
        return True

    def judge(self, suspect: Suspect) -> Iterator[Verdict]:
        """Word a finding, or stay silent."""
        raise NotImplementedError


# --- finding rules --------------------------------------------------------------------------------------------------


@lru_cache(maxsize=1)
def folder() -> Path:
    """Where the rule modules are: the installed package, or `rules/` beside it in a plain checkout."""
    here = Path(__file__).parent
    installed = here / "rules"
    if installed.is_dir():
        return installed
    return here.parent / "rules"


@lru_cache(maxsize=1)
def names() -> tuple[str, ...]:
    """All rule names, from file names: nothing is imported."""
    return tuple(sorted(_rule_name(f) for f in folder().glob("*.py") if not f.name.startswith("_")))


def _rule_name(file: Path) -> str:
    return file.stem.replace("_", "-")


def load(name: str) -> type[Rule]:
    """The rule of that name.

    Raises:
        LookupError: there is no such rule.
    """
    if name not in names():
        raise LookupError(name)
    _ensure_package()
    module = importlib.import_module(f"{_PACKAGE}.{name.replace('-', '_')}")
    for value in vars(module).values():
        if isinstance(value, type) and issubclass(value, Rule) and value.__module__ == module.__name__:
            value.name = name
            return value
    raise LookupError(f"{name}: its module defines no rule")


class Traits(Struct, frozen=True):
    """What the settings need to know of a rule."""

    family: Family
    default: bool  # whether it runs where nobody selects it by its name


@cache
def traits(name: str) -> Traits:
    """What a rule's class says of itself, read from its text: nothing is imported, LibCST least of all.

    Raises:
        LookupError: there is no such rule.
    """
    if name not in names():
        raise LookupError(name)
    tree = ast.parse((folder() / f"{name.replace('-', '_')}.py").read_text("utf-8"))
    said = {
        statement.targets[0].id: statement.value
        for node in tree.body
        if isinstance(node, ast.ClassDef)
        and any(isinstance(base, ast.Name) and base.id == "Rule" for base in node.bases)
        for statement in node.body
        if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name)
    }
    match said.get("family"), said.get("default"):
        case ast.Attribute(attr=family), None:
            return Traits(Family[family], Rule.default)
        case ast.Attribute(attr=family), ast.Constant(value=bool(default)):
            return Traits(Family[family], default)
    raise LookupError(f"{name}: its class does not say its family in words")


def load_all() -> Mapping[str, type[Rule]]:
    """All rules by name."""
    return {name: load(name) for name in names()}


def _ensure_package() -> None:
    """Make `leaklint.rules` the folder beside this module, from a plain checkout too and whatever is installed."""
    if _PACKAGE in sys.modules:
        return
    here = folder()
    spec = importlib.util.spec_from_file_location(
        _PACKAGE, here / "__init__.py", submodule_search_locations=[str(here)]
    )
    if spec is None or spec.loader is None:
        raise LookupError(f"no rules in {here}")
    package = importlib.util.module_from_spec(spec)
    sys.modules[_PACKAGE] = package
    spec.loader.exec_module(package)


__all__ = [
    "Codemod",
    "Confidence",
    "Rule",
    "Sources",
    "Traits",
    "Verdict",
    "folder",
    "load",
    "load_all",
    "names",
    "traits",
]
