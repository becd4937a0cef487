"""What may know what, and how large things may grow: the design as assertions about the code itself."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
MODULES = sorted([*(ROOT / "leaklint").rglob("*.py"), *(ROOT / "rules").rglob("*.py")])

MODULE_LINES = 700
FUNCTION_LINES = 60

# Names of libraries that are also plain words of messages and code.
ENGLISH = {"attr", "requests"}


def _named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


every_module = pytest.mark.parametrize("path", MODULES, ids=_named)


@cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"))


# --- layers -----------------------------------------------------------------------------------------------------------

# For each folder, what nothing in it imports. A package stands for all that is in it.
FORBIDDEN = {
    "leaklint/index": ("leaklint.project", "leaklint.rules", "leaklint.models", "leaklint.rule", "libcst"),
    "leaklint/models": ("leaklint.project", "leaklint.index", "leaklint.rules", "leaklint.rule", "libcst"),
    "leaklint/project": ("leaklint.rules", "leaklint.rule", "leaklint.syntax", "leaklint.codemods", "libcst"),
    "leaklint/codemods": ("leaklint.index", "leaklint.rules", "leaklint.rule", "leaklint.judge", "leaklint.check"),
    "leaklint/render": ("leaklint.project", "leaklint.index", "leaklint.rules", "leaklint.judge", "libcst"),
    "leaklint": ("leaklint.rules", "rules", "libcst.matchers", "libcst.codemod"),
    "rules": ("leaklint.rules", "rules", "leaklint.index", "leaklint.check", "leaklint.judge", "libcst.matchers"),
}


def _imports(path: Path) -> Iterator[tuple[int, str]]:
    """Line and absolute dotted name of everything imported, also inside functions."""
    package = (*path.relative_to(ROOT).parent.parts,)
    for node in ast.walk(_tree(path)):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            module = ".".join((*base, *filter(None, [node.module])))
            yield from ((node.lineno, f"{module}.{alias.name}") for alias in node.names)


@every_module
def test_layers_are_kept(path: Path) -> None:
    forbidden = [name for folder, names in FORBIDDEN.items() if _named(path).startswith(f"{folder}/") for name in names]
    wrong = [
        f"{_named(path)}:{line} imports {name}"
        for line, name in _imports(path)
        if any(name == other or name.startswith(f"{other}.") for other in forbidden)
    ]
    assert not wrong, "\n" + "\n".join(wrong)


@pytest.mark.parametrize("path", [p for p in MODULES if p.parent.name == "rules"], ids=_named)
def test_rules_import_the_engine_absolutely_and_each_other_not_at_all(path: Path) -> None:
    relative = [node.lineno for node in ast.walk(_tree(path)) if isinstance(node, ast.ImportFrom) and node.level]
    assert not relative


# --- knowledge is data ------------------------------------------------------------------------------------------------


def _frameworks() -> set[str]:
    """Names of the packages that models speak of, but for the standard library and what leaklint itself is built on."""
    models = [tomllib.loads(f.read_text("utf-8")) for f in (ROOT / "leaklint/models").glob("*.toml")]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    own = {re.match(r"[\w-]+", dependency)[0] for dependency in project["dependencies"]}  # type: ignore[index]
    named = {name.partition(".")[0].lower() for model in models for name in model.get("imports", ())}
    return named - own - set(sys.stdlib_module_names) - ENGLISH


def _docstrings(tree: ast.Module) -> set[ast.AST]:
    owners = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    found: set[ast.AST] = set()
    for node in ast.walk(tree):
        if isinstance(node, owners) and node.body and isinstance(node.body[0], ast.Expr):
            found.add(node.body[0].value)
    return found


def _texts(path: Path) -> Iterator[tuple[int, str]]:
    """Every string and identifier of a module, docstrings apart."""
    docstrings = _docstrings(_tree(path))
    for node in ast.walk(_tree(path)):
        if node in docstrings:
            continue
        for name in ("id", "attr", "arg", "name", "module", "asname", "value"):
            text = getattr(node, name, None)
            if isinstance(text, str):
                yield getattr(node, "lineno", 0), text


def _words(text: str) -> set[str]:
    """The words of a text, whole and in their parts: `make_flask_app`, `FlaskApp`."""
    whole = re.findall(r"\w+", text)
    parts = [part for word in whole for part in re.findall(r"[A-Z]?[a-z0-9]+|[A-Z]+", word)]
    return {word.lower() for word in (*whole, *parts)}


@every_module
def test_no_framework_is_named_in_code(path: Path) -> None:
    frameworks = _frameworks()
    wrong = [
        f"{_named(path)}:{line} says {', '.join(sorted(said))}"
        for line, text in _texts(path)
        if (said := _words(text) & frameworks)
    ]
    assert not wrong, "\n" + "\n".join(wrong)


def test_there_are_frameworks_to_look_for() -> None:
    assert {"flask", "fastapi", "gradio"} <= _frameworks()
    assert _words("make_flask_app") & _words("FlaskApp") & {"flask"}


# --- sizes and documentation ------------------------------------------------------------------------------------------


@every_module
def test_modules_are_short(path: Path) -> None:
    lines = path.read_text("utf-8").count("\n")
    assert lines <= MODULE_LINES


def _functions(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


@every_module
def test_functions_are_short(path: Path) -> None:
    long = [
        f"{_named(path)}:{node.lineno} {node.name} has {node.end_lineno - node.lineno + 1} lines"
        for node in _functions(_tree(path))
        if node.end_lineno is not None and node.end_lineno - node.lineno >= FUNCTION_LINES
    ]
    assert not long, "\n" + "\n".join(long)


@every_module
def test_modules_and_public_functions_are_documented(path: Path) -> None:
    tree = _tree(path)
    public = [node for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    bare = [
        f"{_named(path)}:{node.lineno} {node.name}"
        for node in public
        if not node.name.startswith("_") and not ast.get_docstring(node)
    ]
    assert not bare, "\n" + "\n".join(bare)
    assert ast.get_docstring(tree)
