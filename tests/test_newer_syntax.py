"""Syntax newer than the running Python: what is said of it, and where, is what the newer Python would say."""

from __future__ import annotations

import ast
import json
import os
import shutil
import subprocess
import sys
import warnings
from functools import cache
from pathlib import Path

import pytest

from leaklint import newer
from leaklint.config import Config
from leaklint.finding import Span
from leaklint.index import ModuleSummary, summarise
from leaklint.index.lower import lower
from leaklint.index.skim import skim
from leaklint.index.summary import Display
from leaklint.run import Report, run
from leaklint.syntax import Syntax

ROOT = Path(__file__).resolve().parent.parent

CASES = {
    "type parameters of a function": "def f[T: (int, str) = int, *Ts, **P](x: T, *, y=1) -> T:\n    return g(x)\n",
    "type parameters over lines": "async def f[\n    T,  # (\n\n    U: str\n](\n    x,\n): return x\n",
    "type parameters of a method": "class A:\n    @deco\n    def f[T](self, x): self.x = x\n",
    "type parameters of a class": "class A[T](B, metaclass=M):\n    x: T = 1\n",
    "type parameters of a class without bases": "class A[\n    T = [1],\n]:\n    pass\n",
    "type parameters that nest": "class A[T]:\n    class B[U]: pass\n    def f[V](x=f(1)): pass\n",
    "type statement": "type X = list[int]\nif a: type Y=int\n",
    "type statement with parameters": "type X[T: str] = list[T]\ntype Y[\n    T\n] = T\n",
    "type statement over lines": "type \\\n    X = (\n        int)\n",
    "names called type": "type = type(x)\ntype.x = 1\ndef f[T](): type(1)\n",
    "quotes of the string inside": 'x = f"{d["k"]}a{e["ü"]}"\n',
    "letters of several bytes": 'ü = f"ä{d["ö"]}ß{ä}", é; y = "日本" f"日{d["本"]}" + z\n',
    "a backslash inside": "x = f\"{'\\n'.join(a)}\" + f'{\"\\N{BULLET}\"}'\n",
    "line ends and comments inside": 'x = f"{\n    a  # }\n    + b\n}", c\n',
    "f-strings in f-strings": 'x = f"{f"{f"{a["b"]}"}c"}{f"{d}"}"\n',
    "conversions and formats": 'x = f"{d["k"]!r:>{w["x"]}.{2}} {e["a"] = } {f=!s:x}"\n',
    "tuples in fields": 'x = f"{a["b"], c}{d,}{*e, f}{(g, h)}"\n',
    "braces and escapes beside": 'x = f"{{{a["b"]}}}\\t\\x41" rf"\\d{c}"\n',
    "strings side by side": 'x = ("a" f"{b["c"]}"  # d\n     \'e\' "{{}}" f\'\'\'\n  {f["g"]}\n\'\'\').h\n',
    "lambdas and comprehensions in fields": 'x = f"{(lambda: d["k"])}{[i["x"] for i in f"{y["z"]}"]}"\n',
    "a call of one f-string": 'f(f"{d["k"]}")\nf(f"{d["k"]}", *a, k=f"{d["k"]}")[f"{d["k"]}"]\n',
    "several exceptions": "try:\n    a()\nexcept A, b.C, d():\n    e()\nexcept F, G,:\n    pass\nexcept (H), J: pass\n",
    "several exceptions of a group": "try:\n    a()\nexcept* A, B:\n    pass\n",
    "template string": 'x = t"a{b}c{d!r}", rt"\\d{e}", t""\n',
    "template string with quotes inside": 'x = t"a{b["c"]}{f"{d}"}"\n',
    "lazy import": "lazy import a.b as c\nlazy from .d import e\nif f:\n    lazy import g; lazy import h\n",
    "unpacking in lists and sets": "x = [*a for a in b], {*(c) for c in d}\n",
    "unpacking in generators": "x = (*a for a in b)\nf(*a for a in b)\n",
    "unpacking in dicts": "x = {**a for a in b if a}\n",
}
every_case = pytest.mark.parametrize("text", CASES.values(), ids=CASES)


def parsed(text: str) -> ast.Module:
    """The tree of a text as a Python makes it that does not know its syntax, whichever Python runs."""
    with pytest.MonkeyPatch.context() as patch:
        if sys.version_info >= (3, 12):  # it would leave the strings as they are
            patch.setattr(newer, "_is_said", lambda code: False)
        return newer.parse(text, SyntaxError("refused"))


def lowered(text: str) -> ModuleSummary:
    tree = parsed(text)
    return ModuleSummary(skim(tree, text, "a.py", ""), lower(tree))


@every_case
def test_every_node_is_where_it_stands_in_the_text(text: str) -> None:
    syntax, lines = Syntax("a.py", text), text.split("\n")

    def column(line: int, in_bytes: int) -> int:
        return len(lines[line - 1].encode()[:in_bytes].decode()) + 1

    tree = parsed(text)
    texts = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    for node in ast.walk(tree):
        if isinstance(node, ast.expr | ast.stmt) and id(node) not in texts and not _is_padding(node):
            span = Span(
                "a.py",
                node.lineno,
                column(node.lineno, node.col_offset),
                node.end_lineno or 0,
                column(node.end_lineno or 0, node.end_col_offset or 0),
            )
            assert syntax.node_at(span), ast.dump(node)


def _is_padding(node: ast.AST) -> bool:
    return isinstance(node, ast.List) and isinstance(node.ctx, ast.Store) and not node.elts  # `[]=  X` for `type X`


# --- what newer Pythons say -----------------------------------------------------------------------------------------


def _pythons() -> list[str]:
    versions = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    found = {f"3.{minor}": shutil.which(f"python3.{minor}", path=os.defpath) for minor in range(12, 17)}
    for python in sorted(versions.glob("3.*/bin/python")):
        found[".".join(python.parts[-3].split(".")[:2])] = str(python)
    found[f"3.{sys.version_info.minor}"] = sys.executable
    newer = [path for name, path in found.items() if path and int(name.split(".")[1]) >= 12]
    return [
        path for path in newer if not subprocess.run([path, "-c", "import msgspec"], capture_output=True).returncode
    ]


_SUMMARISE = """
import ast, json, sys
from leaklint.index import summarise

def known(text):
    try:
        ast.parse(text)
    except SyntaxError:
        return False
    return True

flat = {}
exec(sys.argv[1], flat)
said = (summarise("a.py", text) if known(text) else None for text in json.load(sys.stdin))
print(json.dumps([flat["flat"]((one.head, one.code)) if one else None for one in said]))
"""

_FLAT = """
from msgspec import Struct
from msgspec.structs import astuple

def flat(value):
    if isinstance(value, Struct):
        return type(value).__name__ + flat(astuple(value))
    if isinstance(value, tuple):
        return "(" + ", ".join(map(flat, value)) + ")"
    return repr(sorted(value) if isinstance(value, frozenset) else value)
"""


def flat(summary: ModuleSummary) -> str:
    scope: dict[str, object] = {}
    exec(_FLAT, scope)
    return scope["flat"]((summary.head, summary.code))  # type: ignore[operator, no-any-return]


@cache
def natively(python: str) -> dict[str, str | None]:
    """What another Python makes of each text itself; None for what it does not know either."""
    texts = list(CASES.values())
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [python, "-W", "ignore", "-c", _SUMMARISE, _FLAT]
    done = subprocess.run(
        command, input=json.dumps(texts), env=environment, capture_output=True, text=True, check=True, cwd=ROOT
    )
    return dict(zip(texts, json.loads(done.stdout), strict=True))


@pytest.mark.parametrize("python", _pythons() or [pytest.param("", marks=pytest.mark.skip("no newer Python here"))])
def test_a_newer_python_says_the_same(python: str) -> None:
    said = {text: summary for text, summary in natively(python).items() if summary is not None}
    assert len(said) > 15
    for text, summary in said.items():
        assert flat(lowered(text)) == summary, text


# --- what summaries hold --------------------------------------------------------------------------------------------


def test_several_exceptions_are_a_tuple() -> None:
    new, old = lowered("try: a()\nexcept A, B, C: pass\n"), summarise("a.py", "try: a()\nexcept(A, B, C): pass\n")
    caught, written = new.functions[0].blocks[2].term, old.functions[0].blocks[2].term
    assert isinstance(caught, Display)
    assert isinstance(written, Display)
    assert (caught.kind, caught.values) == (written.kind, written.values)


def test_a_template_string_blends_what_an_f_string_does() -> None:
    new, old = lowered('x = t"a{b}{{c"\n'), summarise("a.py", 'x = f"a{b}{{c"\n')
    assert flat(new) == flat(old)


def test_a_lazy_import_is_an_import_from_its_first_word_on() -> None:
    summary = lowered("lazy import json\n")
    assert [(term.module, term.name) for term in summary.imports] == [("json", "")]
    assert summary.functions[0].ops[0].span == (1 << 56) | (1 << 16) | len("lazy import json")  # type: ignore[union-attr]
    assert len(summary.functions[0].ops) == 1


# --- what stays a problem -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["print 'Python 2'\n", "def f[T](:\n    pass\n", "x = f'{'\n", "if a:\nb\n"])
def test_what_is_no_python_keeps_its_error(text: str) -> None:
    with pytest.raises(SyntaxError) as before:
        ast.parse(text)
    with pytest.raises(SyntaxError) as after:
        summarise("a.py", text)
    assert (after.value.msg, after.value.lineno) == (before.value.msg, before.value.lineno)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ('def f():\n    return f"{yield d["k"]}"\n', "`yield` in a replacement field, without parentheses"),
        ("try: a()\nexcept A or B, C: pass\n", "types of exceptions that are no names, without parentheses"),
    ],
)
def test_what_cannot_be_said_names_its_line(text: str, what: str) -> None:
    with pytest.raises(SyntaxError) as error:
        lowered(text)
    assert error.value.msg == f"newer syntax that cannot be said in the running Python's: {what}"
    assert error.value.lineno == 2


def test_warnings_of_the_parser_stay_away() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        summarise("a.py", "x = '\\d'\n")
        summarise("a.py", "x = '\\d'\ny = t'\\d{z}'\n")


# --- findings -------------------------------------------------------------------------------------------------------

LEAK = """\
from fastapi import FastAPI

app = FastAPI()
lazy import json


class Desk[T]:
    def greet[U: str](self, ügruß: dict[str, str], user: U) -> str:
        label = f"{ügruß["a"]}"; self.user = user
        try:
            return f"{self.user["name"]}: {label}"
        except KeyError, TypeError:
            return t"{user}"


desk = Desk()


@app.get("/greet")
async def greet[U](user: U) -> str:
    return desk.greet({"a": "é"}, user)
"""


def _reported(folder: Path, text: str) -> Report:
    (folder / "app.py").write_text(text, "utf-8")
    return run([folder], Config(root=folder))


def test_a_leak_in_newer_syntax_is_found_where_it_is_and_mended(tmp_path: Path) -> None:
    report = _reported(tmp_path, LEAK)
    assert report.problems == ()
    (finding,) = report.findings
    assert (finding.rule, finding.span.line) == ("shared-attribute-write", 9)
    assert finding.span.column == LEAK.splitlines()[8].index("self.user") + 1
    assert finding.fix is not None
    assert finding.fix.edits, finding.fix.refused
    text = LEAK
    for edit in sorted(finding.fix.edits, key=lambda edit: edit.start, reverse=True):
        assert text[edit.start : edit.end] == edit.expected
        text = text[: edit.start] + edit.replacement + text[edit.end :]
    mended = _reported(tmp_path, text)
    assert mended.problems == ()
    assert mended.findings == ()
    assert "def greet[U: str](self" in text
    assert "except KeyError, TypeError:" in text
