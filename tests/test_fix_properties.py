"""Fixes of programs that differ in what does not matter: the result differs in just the same, and in nothing else.

Each program has a plain text and its plain fix. Line ends, indents, comments, statements in between, names and both
ends of the file are varied; what was varied is then taken out of the result, which must be the plain fix.

Where functions are nested in blocks and stand in another order, a fix may be another one, or be refused; what is fixed
must be gone, nothing new may come, and a second run must change nothing.
"""

from __future__ import annotations

import ast
import io
import re
import tempfile
import tokenize
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import Struct

from leaklint import fix as fixes
from leaklint import pages, rule
from leaklint.config import Config
from leaklint.finding import Safety
from leaklint.run import run

PROOFS = Path(__file__).parent / "proofs" / "cases"
EXAMPLES = 3


def _programs() -> dict[str, str]:
    """Programs of one file whose findings have a fix: the rules' own examples, and those that are proven by running."""
    found = {case.name: (case / "app.py").read_text("utf-8") for case in PROOFS.iterdir() if _is_alone(case)}
    for name, kind in rule.load_all().items():
        if kind.fix in (Safety.SAFE, Safety.SUGGESTED):
            example = dict(pages.page(name).sections)["Example"]
            found[name] = re.findall(r"^```python\n(.*?)^```$", example, re.M | re.S)[0]
    return dict(sorted(found.items()))


def _is_alone(case: Path) -> bool:
    return sum(file.suffix == ".py" for file in case.iterdir()) == 2


PROGRAMS = _programs()


class Noise(Struct, frozen=True):
    """What is varied; numbers choose places in the text, modulo how many there are."""

    newline: str
    indent: str
    start: str
    ended: bool
    above: tuple[int, ...]  # statements that get a comment line above them
    behind: tuple[int, ...]  # statements that get a comment behind them
    between: tuple[int, ...]  # top-level statements that get another one above them
    name: str  # put behind the names of all classes; those of functions and variables may say what they are for


noises = st.builds(
    Noise,
    newline=st.sampled_from(["\n", "\r\n"]),
    indent=st.sampled_from(["    ", "  ", "\t"]),
    start=st.sampled_from(["", "\ufeff", "\x0c", "#!/usr/bin/env python\n"]),
    ended=st.booleans(),
    above=st.lists(st.integers(0, 200), max_size=4).map(tuple),
    behind=st.lists(st.integers(0, 200), max_size=4).map(tuple),
    between=st.lists(st.integers(0, 200), max_size=3).map(tuple),
    name=st.sampled_from(["", "_ß", "Xy"]),
)


def _fixed(text: str) -> tuple[str, list[str]]:
    """The text with all its fixes made, and their titles."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "app.py").write_bytes(text.encode("utf-8"))
        outcome = fixes.fix(folder, Config(folder), (folder,), unsafe=True, select=(), apply=True)
        again = fixes.fix(folder, Config(folder), (folder,), unsafe=True, select=(), apply=True)
        assert again.changed == ()
        assert not [reason for _, reason in outcome.left if "taken back" in reason]
        return (folder / "app.py").read_bytes().decode("utf-8"), [one.fix.title for one in outcome.fixed if one.fix]


def _varied(text: str, noise: Noise) -> str:
    tree = ast.parse(text)
    if noise.name:
        text = re.sub(rf"\b({'|'.join(_own_names(tree))})\b", rf"\1{noise.name}", text)
    lines = text.splitlines()
    heads = sorted(
        {node.lineno for node in ast.walk(tree) if isinstance(node, ast.stmt) and not _is_docstring(node, tree)}
        - {node.lineno for node in ast.walk(tree) if getattr(node, "decorator_list", None)}
    )
    ends = [n for n in heads if not re.search(r"[:(\[{,]$", lines[n - 1]) and "#" not in lines[n - 1]]
    tops = [node.lineno for node in tree.body if not getattr(node, "decorator_list", None)]
    for number in {ends[n % len(ends)] for n in noise.behind}:
        lines[number - 1] += f"  # behind {number}"
    extra: dict[int, list[str]] = {}
    for number in {heads[n % len(heads)] for n in noise.above}:
        indent = re.match(r" *", lines[number - 1])[0]  # type: ignore[index]
        extra.setdefault(number, []).append(f"{indent}# above {number}")
    for number in {tops[n % len(tops)] for n in noise.between} - {1}:
        extra.setdefault(number, []).insert(0, f"between_{number} = {number}")
    out = [one for number, line in enumerate(lines, 1) for one in (*extra.get(number, ()), line)]
    out = [re.sub(r"^( {4})+", lambda match: noise.indent * (len(match[0]) // 4), line) for line in out]
    return noise.start.replace("\n", noise.newline) + noise.newline.join(out) + (noise.newline if noise.ended else "")


def _own_names(tree: ast.Module) -> Sequence[str]:
    return [node.name for node in ast.walk(tree) if isinstance(node, ast.ClassDef)] or ["no class"]


def _is_docstring(node: ast.stmt, tree: ast.Module) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _plain(text: str, noise: Noise) -> str:
    """The text without what was varied."""
    start = noise.start.replace("\n", noise.newline)
    assert text.startswith(start)
    text = text.removeprefix(start)
    assert text.count(noise.newline) == text.count("\n")
    text = text.replace(noise.newline, "\n")
    text = re.sub(r"^[ \t]*# (above|behind) \d+\n?", "", text, flags=re.M)
    text = re.sub(r"  # behind \d+", "", text)
    text = re.sub(r"^between_\d+ = \d+\n", "", text, flags=re.M)
    step = noise.indent
    text = re.sub(rf"^({re.escape(step)})+", lambda match: "    " * (len(match[0]) // len(step)), text, flags=re.M)
    return text.removesuffix("\n").replace(noise.name, "") if noise.name else text.removesuffix("\n")


def _comments(text: str) -> list[str]:
    tokens = tokenize.generate_tokens(io.StringIO(text.lstrip("\ufeff\x0c")).readline)
    return sorted(token.string for token in tokens if token.type == tokenize.COMMENT and "# " in token.string)


# --- nesting and order ------------------------------------------------------------------------------------------------

BLOCKS = {
    "if": ["if {free} is not None:"],
    "else": ["if {free} is None:", "    pass", "else:"],
    "try": ["try:", None, "finally:", "    pass"],
    "except": ["try:", None, "except LookupError:", "    raise"],
    "with": ["with open(__file__):"],
    "for": ["for {free} in (1,):"],
    "while": ["while True:", None, "    break"],
    "match": ["match {free}:", "    case _:"],
}


class Shape(Struct, frozen=True):
    """What is nested how; numbers choose functions and statements, modulo how many there are."""

    nested: tuple[tuple[int, int, str], ...]  # function, first statement of its body that is put into the block, block
    inner: tuple[tuple[int, str], ...]  # function whose body goes into an inner one, and what that stands in
    decorated: tuple[int, ...]  # functions that get one more decorator
    moved: tuple[int, ...]  # functions and classes at the top that go to the end of the file
    made: bool  # whether all but the imports is made by a function


shapes = st.builds(
    Shape,
    nested=st.lists(st.tuples(st.integers(0, 20), st.integers(0, 5), st.sampled_from(sorted(BLOCKS))), max_size=2).map(
        tuple
    ),
    inner=st.lists(st.tuples(st.integers(0, 20), st.sampled_from(["function", "class"])), max_size=2).map(tuple),
    decorated=st.lists(st.integers(0, 20), max_size=1).map(tuple),
    moved=st.lists(st.integers(0, 20), max_size=1).map(tuple),
    made=st.booleans(),
)


def _shaped(text: str, shape: Shape) -> str:
    for function, first, block in shape.nested:
        text = _nested(text, function, first, block)
    for number, kind in shape.inner:
        text = _in_inner(text, number, kind)
    for number in shape.decorated:
        text = _decorated(text, number)
    for number in shape.moved:
        text = _moved(text, number)
    return _made(text) if shape.made else text


def _nested(text: str, number: int, first: int, block: str) -> str:
    """The text with the last statements of one function in a block."""
    functions = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    function = functions[number % len(functions)]
    plain = [one for one in function.body if not isinstance(one, ast.Global | ast.Nonlocal) and not _is_text(one)]
    if not plain or any(_is_long(node) for node in ast.walk(function)):
        return text
    start, end = _first_line(plain[first % len(plain)]) - 1, function.body[-1].end_lineno or 0
    lines = text.splitlines()
    indent = re.match(r" *", lines[start])[0]  # type: ignore[index]
    body = [f"    {line}" if line.strip() else line for line in lines[start:end]]
    if "{free}" in "".join(line or "" for line in BLOCKS[block]):
        lines, shift = ["free = 1", *lines], 1
    else:
        shift = 0
    head: list[str] = []
    for line in BLOCKS[block] if None in BLOCKS[block] else [*BLOCKS[block], None]:
        deeper = "    " if block == "match" and line is None else ""
        head += [deeper + one for one in body] if line is None else [indent + line.format(free="free")]
    lines[start + shift : end + shift] = head
    return "\n".join(lines) + "\n"


def _in_inner(text: str, number: int, kind: str) -> str:
    """The text with the body of one function in a function within it, or in a method of a class within it."""
    functions = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    function = functions[number % len(functions)]
    body = [one for one in function.body if not _is_text(one)]
    if not body or any(_is_long(node) or _is_of_the_outer(node, function) for node in ast.walk(function)):
        return text
    start, end = _first_line(body[0]) - 1, function.body[-1].end_lineno or 0
    lines = text.splitlines()
    indent = re.match(r" *", lines[start])[0]  # type: ignore[index]
    head, call = ("async def", "return await") if isinstance(function, ast.AsyncFunctionDef) else ("def", "return")
    if kind == "function":
        opening, closing, step = [f"{head} inner():"], f"{call} inner()", "    "
    else:
        opening, closing, step = ["class Inner:", f"    {head} run(it):"], f"{call} Inner().run()", "        "
    inside = [f"{step}{line}" if line.strip() else line for line in lines[start:end]]
    lines[start:end] = [*(indent + line for line in opening), *inside, indent + closing]
    return "\n".join(lines) + "\n"


def _is_of_the_outer(node: ast.AST, function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Whether it would not be the same in an inner function: what it yields, what sets a parameter, what is unset."""
    names = {one.arg for one in ast.walk(function.args) if isinstance(one, ast.arg)}
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store | ast.Del):
        return node.id in names
    return isinstance(node, ast.Yield | ast.YieldFrom) or (isinstance(node, ast.Name) and node.id == "super")


def _decorated(text: str, number: int) -> str:
    """The text with a decorator of the program right above one function, which says what comes in and out."""
    tree = ast.parse(text)
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    function = functions[number % len(functions)]
    last = max([node.end_lineno or 0 for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)], default=0)
    lines = text.splitlines()
    lines.insert(function.lineno - 1, f"{' ' * function.col_offset}@told")
    head = ["import functools"]
    if isinstance(function, ast.AsyncFunctionDef) and not any(isinstance(n, ast.Yield) for n in ast.walk(function)):
        inner = ["async def run(*args, **kwargs):", "    return await function(*args, **kwargs)"]
    else:
        inner = ["def run(*args, **kwargs):", "    return function(*args, **kwargs)"]
    body = ["@functools.wraps(function)", *inner, "return run"]
    lines[last:last] = ["", "", "def told(function):", *(f"    {line}" for line in body), "", ""]
    start = next((n for n, line in enumerate(lines) if re.match(r"(import|from) (?!__future__)", line)), 0)
    return "\n".join([*lines[:start], *head, *lines[start:]]) + "\n"


def _made(text: str) -> str:
    """The text with all behind the imports in a function, which is called at the end."""
    tree = ast.parse(text)
    heads = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom) or _is_text(node)]
    if any(_is_long(node) for one in tree.body if one not in heads for node in ast.walk(one)):
        return text
    lines = text.splitlines()
    kept = {number for one in heads for number in range(one.lineno, (one.end_lineno or 0) + 1)}
    inside = [f"    {line}" if line.strip() else line for number, line in enumerate(lines, 1) if number not in kept]
    inside = [re.sub(r"^( +)global ", r"\1nonlocal ", line) for line in inside]
    above = [line for number, line in enumerate(lines, 1) if number in kept]
    given = "app" if re.search(r"^    app\b.* = ", "\n".join(inside), re.M) else "locals()"
    return "\n".join([*above, "", "", "def made():", *inside, f"    return {given}", "", "", "app = made()"]) + "\n"


def _first_line(node: ast.stmt) -> int:
    """The line that a statement begins on, with its decorators."""
    return min([node.lineno, *(one.lineno for one in getattr(node, "decorator_list", ()))])


def _is_text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _is_long(node: ast.AST) -> bool:
    """Whether it is a text of several lines, which must not be indented."""
    return isinstance(node, ast.Constant | ast.JoinedStr) and node.lineno != node.end_lineno


def _moved(text: str, number: int) -> str:
    """The text with one function at its end."""
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    tops = [node for node in ast.parse(text).body if isinstance(node, kinds)]
    if not tops:
        return text
    node = tops[number % len(tops)]
    start = _first_line(node) - 1
    lines = text.splitlines()
    cut = lines[start : node.end_lineno]
    return "\n".join([*lines[:start], *lines[node.end_lineno :], "", "", *cut]) + "\n"


def _rules(folder: Path) -> Counter[str]:
    report = run([folder], Config(folder))
    assert not report.problems
    return Counter(finding.rule for finding in report.findings)


@pytest.mark.parametrize("name", PROGRAMS)
def test_what_is_fixed_in_another_shape_is_gone_and_stays_gone(name: str) -> None:
    @settings(
        max_examples=EXAMPLES, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
    )
    @given(shapes)
    def check(shape: Shape) -> None:
        text = _shaped(PROGRAMS[name], shape)
        compile(text, "app.py", "exec")
        with tempfile.TemporaryDirectory() as place:
            folder = Path(place)
            (folder / "app.py").write_text(text, "utf-8")
            before = _rules(folder)
            outcome = fixes.fix(folder, Config(folder), (folder,), unsafe=True, select=(), apply=True)
            assert not [reason for _, reason in outcome.left if "taken back" in reason]
            compile((folder / "app.py").read_text("utf-8"), "app.py", "exec")
            assert _rules(folder) <= before - Counter(finding.rule for finding in outcome.fixed)
            assert not fixes.fix(folder, Config(folder), (folder,), unsafe=True, select=(), apply=True).changed

    check()


# --- what does not matter ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", PROGRAMS)
def test_what_does_not_matter_makes_no_difference(name: str) -> None:
    assert _fixed(PROGRAMS[name])[1], "nothing is fixed"

    @settings(
        max_examples=EXAMPLES, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
    )
    @given(noises, st.none() | shapes)
    def check(noise: Noise, shape: Shape | None) -> None:
        text = _shaped(PROGRAMS[name], shape) if shape is not None else PROGRAMS[name]
        plain, titles = _fixed(text)
        before = _varied(text, noise)
        after, found = _fixed(before)
        compile(after.lstrip("\ufeff"), "app.py", "exec")
        assert [title.replace(noise.name, "") for title in found] == titles
        assert set(_comments(after)) >= {one for one in _comments(before) if "above" in one or "behind" in one}
        assert _imports_apart(_plain(after, noise)) == _imports_apart(plain.removesuffix("\n"))

    check()


def _imports_apart(text: str) -> tuple[list[str], list[str]]:
    """The imports at the top, which come in another order where something stands between them, and other lines.

    Blank lines aside: those around a comment belong to it.
    """
    lines = [line for line in text.split("\n") if line.strip("\x0c")]
    imports = [line for line in lines if re.match(r"(import|from) ", line)]
    return sorted(imports), [line for line in lines if line not in imports]
