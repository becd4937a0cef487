"""What is kept between runs: that it changes nothing, and survives what happens to files."""

from __future__ import annotations

import json
import os
import pickle
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
from click.testing import CliRunner
from fake_engine import write
from marks import FIXTURES
from msgspec.structs import replace

import leaklint.finding
from leaklint import cache as caches
from leaklint import reuse, rule
from leaklint.cache import Cache, Kind
from leaklint.cli import cli
from leaklint.config import Config, discover
from leaklint.files import collect
from leaklint.index import summarise
from leaklint.index.shifted import same_but_for_lines
from leaklint.render import View, render
from leaklint.run import Report, run

DESK = """
from fastapi import FastAPI

from helpers import tidy

app = FastAPI()


class Desk:
    def __init__(self):
        self.question = None


desk = Desk()


@app.post("/ask")
async def ask(question: str):
    desk.question = tidy(question)
    await answer()
    return {"question": desk.question}


async def answer(): ...
"""

HELPERS = '''
"""Helpers."""

LIMIT = 10


def unused():
    # nothing calls it
    return LIMIT


def tidy(text):
    """Without white space."""
    return text.strip()
'''


@pytest.fixture
def project(tmp_path: Path) -> Path:
    root = tmp_path / "project"
    write(root, desk=DESK, helpers=HELPERS, package__module="value = 1\n")
    (root / "package" / "__init__.py").write_text("")
    return root


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    found = caches.opened(tmp_path, tmp_path / "kept")
    assert found is not None
    return found


def shown(report: Report) -> str:
    """A report as bytes of its output, without what says how it came about."""
    document = json.loads(render("json", report, View(report.root)))
    for name in ("seconds", "cached_files"):
        document["statistics"].pop(name, None)
    fixes = [(finding.fix, finding.declared, finding.help) for finding in report.findings]
    return json.dumps(document, indent=1) + repr(fixes) + render("full", report, View(report.root))


def checked(root: Path, cache: Cache | None = None, **settings: object) -> Report:
    return run([root], replace(discover([root]), **settings), cache=cache)  # type: ignore[arg-type]


def recalled(report: Report) -> bool:
    assert report.statistics is not None
    return list(report.statistics.seconds) == ["recall"]


# --- warm and cold are the same --------------------------------------------------------------------------------------


def test_an_unchanged_program_is_recalled(project: Path, cache: Cache) -> None:
    cold = checked(project)
    assert [finding.rule for finding in cold.findings] == ["shared-attribute-write"]
    first, second = checked(project, cache), checked(project, cache)
    assert not recalled(first) and recalled(second)
    assert shown(cold) == shown(first) == shown(second)


@pytest.mark.parametrize(
    "edit",
    [
        lambda text: f"# a header\n\n{text}",
        lambda text: text.replace("# nothing calls it", "# still nothing calls it"),
        lambda text: text.replace('"""Without white space."""', '"""Without\n\n    white space."""'),
        lambda text: text + "\n\n# the end\n",
        lambda text: text.replace("\n", "\r\n"),
    ],
)
def test_comments_in_a_file_that_matters_to_no_finding_change_nothing(
    project: Path, cache: Cache, edit: Callable[[str], str]
) -> None:
    module = project / "package" / "module.py"
    module.write_text(HELPERS)
    checked(project, cache)
    module.write_text(edit(HELPERS))
    warm = checked(project, cache)
    assert recalled(warm)
    assert shown(warm) == shown(checked(project))


@pytest.mark.parametrize(
    "edit",
    [
        lambda text: text.replace("LIMIT = 10", "LIMIT = 11"),
        lambda text: text.replace("LIMIT = 10", "LIMIT = 10.0"),
        lambda text: text.replace("LIMIT = 10", "LIMIT  = 10"),
        lambda text: text.replace("def unused", "async def unused"),
        lambda text: text.replace("return text.strip()", "return text"),
        lambda text: text.replace("\n\n\ndef tidy", "; OTHER = 1\n\n\ndef tidy"),
    ],
)
def test_code_is_analysed_anew(project: Path, cache: Cache, edit: Callable[[str], str]) -> None:
    module = project / "package" / "module.py"
    module.write_text(HELPERS)
    (project / "desk.py").write_text(f"import package.module\n{DESK}")
    checked(project, cache)
    module.write_text(edit(HELPERS))
    warm = checked(project, cache)
    assert not recalled(warm)
    assert warm.statistics is not None and warm.statistics.cached_files == 3
    assert shown(warm) == shown(checked(project))


UNUSED = (
    HELPERS
    + """

class Drawer:
    def pull(self, name):
        self.seen = name
"""
)


@pytest.mark.parametrize(
    "edit",
    [
        lambda text: text.replace("LIMIT = 10", "LIMIT = [11]"),
        lambda text: text.replace("return text.strip()", "return text.strip().lower() if text else None"),
        lambda text: text.replace("def tidy(text)", "async def tidy(text, width=80)"),
        lambda text: text.replace("self.seen = name", "self.name = [name]"),
    ],
)
def test_code_that_nobody_needs_may_change(project: Path, cache: Cache, edit: Callable[[str], str]) -> None:
    module = project / "package" / "module.py"
    module.write_text(UNUSED)
    checked(project, cache)
    module.write_text(edit(UNUSED))
    warm = checked(project, cache)
    assert recalled(warm)
    assert shown(warm) == shown(checked(project))
    assert recalled(checked(project, cache))


@pytest.mark.parametrize(
    "edit",
    [
        lambda text: "import desk\n" + text,
        lambda text: text.replace("self.seen = name", "self.question = name"),
        lambda text: text.replace("def tidy(text)", "def tidy(scope, receive, send)"),
        lambda text: text + "\n\ntidy = lambda environ, start_response: []\n",
        lambda text: text.replace("class Drawer", "class Drawer(Desk)"),
        lambda text: text.replace("class Drawer", "class Desk"),
    ],
)
def test_what_was_asked_of_it_may_not(project: Path, cache: Cache, edit: Callable[[str], str]) -> None:
    module = project / "package" / "module.py"
    module.write_text(UNUSED)
    checked(project, cache)
    module.write_text(edit(UNUSED))
    warm = checked(project, cache)
    assert not recalled(warm)
    assert shown(warm) == shown(checked(project))


@pytest.mark.parametrize(("remark", "same"), [("see till.web", True), ("see 'till.web'", False)])
def test_a_comment_may_name_what_is_solved_apart_otherwise(
    project: Path, cache: Cache, remark: str, same: bool
) -> None:
    (project / "till").mkdir()
    (project / "till" / "__init__.py").touch()
    (project / "till" / "web.py").write_text(DESK.replace("from helpers import tidy", "tidy = str"))
    checked(project, cache)
    (project / "helpers.py").write_text(HELPERS.replace("nothing calls it", remark))
    warm = checked(project, cache)
    assert recalled(warm) is same
    assert shown(warm) == shown(checked(project))


def test_a_file_with_a_finding_is_analysed_anew_whatever_changes_in_it(project: Path, cache: Cache) -> None:
    checked(project, cache)
    (project / "desk.py").write_text(f"# moved\n{DESK}")
    warm = checked(project, cache)
    assert not recalled(warm)
    assert [finding.span.line for finding in warm.findings] == [20]
    assert shown(warm) == shown(checked(project))


@pytest.mark.parametrize("seed", range(3))
def test_warm_and_cold_agree_after_any_edits(tmp_path: Path, cache: Cache, seed: int) -> None:
    chance = random.Random(seed)
    root = tmp_path / "app"
    shutil.copytree(FIXTURES / "apps" / "fit_check", root, ignore=shutil.ignore_patterns("__pycache__"))
    (root / "leaklint.toml").write_text("")
    (root / "test_agent.py").write_text("from agent import FitAgent\n\ndef test_it():\n    assert FitAgent()\n")
    ways = set()
    for _ in range(8):
        chance.choice(EDITS)(root, chance)
        cold = shown(checked(root))
        warm = checked(root, cache)
        assert shown(warm) == cold
        ways.add(recalled(warm))
        assert shown(checked(root, cache)) == cold
    assert False in ways


def _file(root: Path, chance: random.Random) -> Path:
    return chance.choice(sorted(root.rglob("*.py")))


def _comment(root: Path, chance: random.Random) -> None:
    file = _file(root, chance)
    lines = file.read_text().split("\n")
    lines.insert(chance.randrange(len(lines)), chance.choice(["", "# a remark", "# leaklint: shared by design"]))
    file.write_text("\n".join(lines))


def _statement(root: Path, chance: random.Random) -> None:
    file = _file(root, chance)
    file.write_text(file.read_text() + f"\n\nextra_{chance.randrange(3)} = {{}}\n")


def _said(root: Path, chance: random.Random) -> None:
    """Something that files whose code nobody needs are asked about."""
    file = _file(root, chance)
    said = ["agent.holder = 1", "import os", "from agent import FitAgent", "class FitAgent(Base): ..."]
    said += ["def app(scope, receive, send): ...", "getattr(x, 'callbacks')", "app.queue(default_concurrency_limit=3)"]
    file.write_text(f"{file.read_text()}\n\n{chance.choice(said)}\n")


def _less(root: Path, chance: random.Random) -> None:
    file = _file(root, chance)
    lines = file.read_text().split("\n")
    del lines[chance.randrange(len(lines))]  # which may well leave what cannot be parsed
    file.write_text("\n".join(lines))


def _added(root: Path, chance: random.Random) -> None:
    (root / f"copy_{chance.randrange(3)}.py").write_text(_file(root, chance).read_text())


def _renamed(root: Path, chance: random.Random) -> None:
    file = _file(root, chance)
    file.rename(file.with_name(f"renamed_{chance.randrange(3)}.py"))


def _deleted(root: Path, chance: random.Random) -> None:
    if len(files := sorted(root.rglob("*.py"))) > 2:
        chance.choice(files).unlink()


def _configured(root: Path, chance: random.Random) -> None:
    settings = ["", 'ids = ["ticket"]', 'ignore = ["shared-state"]', 'exclude = ["copy_*.py"]', 'tests = "check"']
    (root / "leaklint.toml").write_text(chance.choice(settings) + "\n")


EDITS = (_comment, _comment, _statement, _said, _less, _added, _renamed, _deleted, _configured)


# --- what invalidates what -------------------------------------------------------------------------------------------


def test_settings_and_models_leave_the_summaries_alone(project: Path, cache: Cache) -> None:
    model = project / "own.toml"
    model.write_text('name = "Ours"\n')
    checked(project, cache)
    for settings in ({"ids": ("ticket",)}, {"check_tests": True}, {"models": (model,)}):
        report = checked(project, cache, **settings)
        assert not recalled(report)
        assert report.statistics is not None and report.statistics.cached_files == 4
    model.write_text('name = "Ours"\none_process = true\n')
    assert not recalled(checked(project, cache, models=(model,)))
    assert recalled(checked(project, cache, models=(model,), select=("races",)))


def test_another_leaklint_starts_afresh(project: Path, cache: Cache) -> None:
    checked(project, cache)
    other = checked(project, replace(cache, writer="another"))
    assert other.statistics is not None and not other.statistics.cached_files


def test_the_writer_is_all_that_is_shipped(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    package = Path(caches.__file__).parent
    copy = tmp_path / "leaklint"
    shutil.copytree(package, copy, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(rule.folder(), tmp_path / "rules", ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(rule, "folder", lambda: tmp_path / "rules")
    monkeypatch.setattr(caches, "__file__", str(copy / "cache.py"))
    caches._writer.cache_clear()
    writers = {caches._writer()}
    for file in (
        copy / "project" / "link.py",
        copy / "models" / "python.toml",
        tmp_path / "rules" / "check_then_act.py",
    ):
        file.write_text(file.read_text("utf-8") + "\n", "utf-8")
        caches._writer.cache_clear()
        writers.add(caches._writer())
    caches._writer.cache_clear()
    assert len(writers) == 4


def test_a_crash_is_not_remembered(project: Path, cache: Cache, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as broken:
        broken.setattr("leaklint.judge.tell", lambda *_: 1 / 0)
        assert any(problem.internal for problem in checked(project, cache).problems)
    assert not any(problem.internal for problem in checked(project, cache).problems)


def test_trying_fixes_leaves_the_last_check_in_place(project: Path, cache: Cache) -> None:
    checked(project, cache)
    run([project], discover([project]), overlay={"desk.py": ""}, cache=cache)
    assert recalled(checked(project, cache))


@pytest.mark.parametrize("name", rule.names())
def test_what_a_rule_says_of_itself_can_be_read_without_it(name: str) -> None:
    kind = rule.load(name)
    assert rule.traits(name) == rule.Traits(kind.family, kind.default)


def test_a_recalled_run_imports_neither_libcst_nor_the_solver_nor_the_parser(project: Path) -> None:
    code = (
        "import sys\nfrom leaklint.cli import cli\n"
        "try:\n    cli(['check', sys.argv[1], '--cache-dir', sys.argv[2]])\n"
        "except SystemExit as end:\n    code = end.code\n"
        "print(sorted({'libcst', 'leaklint.project', 'leaklint.index', 'leaklint.models', 'multiprocessing'}"
        " & set(sys.modules)), code)"
    )
    command = [sys.executable, "-c", code, str(project), str(project / "kept")]
    first, second = (subprocess.run(command, capture_output=True, text=True, env=environment()) for _ in range(2))
    assert "libcst" in first.stdout and second.stdout.endswith("[] 1\n"), second.stderr
    assert first.stdout.rpartition("[")[0] == second.stdout.rpartition("[")[0]


def environment() -> dict[str, str]:
    """That of this process, with the leaklint that is tested."""
    return {**os.environ, "PYTHONPATH": str(Path(leaklint.__file__).parent.parent)}


# --- what says the same ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "same"),
    [
        ("a = 1\nb = 2\n", "a = 1\n# x\n\nb = 2\n", True),
        ("a = 1\n\n\nb = 2\n", "# x\na = 1\nb = 2\n", True),
        ("a = 1\nb = 2\n", "a = 1; b = 2\n", False),
        ("a = f(1,\n  2)\n", "a = f(1, 2)\n", False),
        ("a = f(1,\n  2)\n", "a = f(1,\n\n  2)\n", True),
        ("a = 1\n", "a = True\n", False),
        ("a = 0.0\n", "a = -0.0\n", False),
        ("a = 0.0\n", "a = 0.0 # x\n", True),
        ("def f(): pass\n", "def f(): pass\n\ndef g(): pass\n", False),
        ("def f(x: int): pass\n", "def f(x: str): pass\n", False),
        ("class A(B): pass\n", "class A(C): pass\n", False),
        ("global_ = 1\n", "global_  = 1\n", False),
    ],
)
def test_the_same_but_for_lines(old: str, new: str, same: bool) -> None:
    assert same_but_for_lines(summarise("a.py", old, "1"), summarise("a.py", new, "2")) is same


# --- the folder ------------------------------------------------------------------------------------------------------


def entries(cache: Cache) -> list[Path]:
    return [file for kind in Kind for file in sorted((cache.folder / kind.value).glob("*"))]


def test_the_folder_says_what_it_is_and_git_passes_over_it(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(caches.VARIABLE)
    subprocess.run(["git", "init", "-q", str(project)], check=True)
    CliRunner().invoke(cli, ["check", str(project)])
    folder = project / caches.FOLDER
    assert (folder / "CACHEDIR.TAG").read_text().startswith("Signature: 8a477f597d28d172789f06886806bc55\n")
    status = ["git", "-C", str(project), "status", "--porcelain"]
    assert caches.FOLDER not in subprocess.run(status, capture_output=True, text=True, check=True).stdout
    found, _ = collect(project, Config(project))
    assert [file.path for file in found] == ["desk.py", "helpers.py", "package/__init__.py", "package/module.py"]


def test_a_folder_that_is_no_project_is_left_as_it_is(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(caches.VARIABLE)
    (elsewhere := tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(elsewhere)
    assert CliRunner().invoke(cli, ["check", str(project)]).exit_code == 1
    assert not (project / caches.FOLDER).exists()
    assert (elsewhere / caches.FOLDER / "CACHEDIR.TAG").is_file()


def test_the_option_wins_over_the_environment_and_no_cache_over_both(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(caches.VARIABLE, str(tmp_path / "environment"))
    monkeypatch.chdir(tmp_path)
    CliRunner().invoke(cli, ["check", str(project), "--cache-dir", "option", "--no-cache"])
    assert not (tmp_path / "option").exists()
    CliRunner().invoke(cli, ["check", str(project), "--cache-dir", "option"])
    assert (tmp_path / "option").is_dir() and not (tmp_path / "environment").exists()
    CliRunner().invoke(cli, ["check", str(project)])
    assert (tmp_path / "environment").is_dir()


def test_a_link_that_came_with_a_project_is_not_followed(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(caches.VARIABLE)
    (project / "leaklint.toml").write_text("")
    (elsewhere := tmp_path / "elsewhere").mkdir()
    (project / caches.FOLDER).symlink_to(elsewhere)
    assert CliRunner().invoke(cli, ["check", str(project)]).exit_code == 1
    assert not list(elsewhere.iterdir())


def test_every_kind_of_term_can_be_kept(cache: Cache) -> None:
    text = """
import a.b as c
from . import d
from .e import *
async def f(x: int = 1, /, *y, z=..., **w) -> "str":
    async with x as (p, *q): await y[0]
    async for i in z: yield i
    match x:
        case {"k": v, **rest} if v: return 1j
    values = [1.5, b"x", "s", True, None, -1j, *y, {**w}, {i for i in y}, lambda t: t, f"{x!r}", x if y else not z]
    del values[0], x.attribute
    global g; g += x @ y
class A(d.B, metaclass=M):
    field: int
    def method(self): nonlocal_ = 1; return (yield)
try: pass
except (E, F) as error: raise
finally: pass
""" + "".join(f"\n{chr(97 + n % 26)}{n} = f({n})" for n in range(300))
    summary = summarise("a.py", text, "1")
    cache.store(Kind.SUMMARY, "key", caches.pack((summary.head, summary.code)))
    assert cache.load(Kind.SUMMARY, "key") == (summary.head, summary.code)


def test_what_nobody_needs_any_more_is_dropped(cache: Cache) -> None:
    for number in range(10):
        cache.store(Kind.RUN, str(number), caches.pack(number))
        os.utime(cache._file(Kind.RUN, str(number)), (number, number))
    cache.trim(Kind.RUN, {"0"}, 3)
    assert [number for number in range(10) if cache.load(Kind.RUN, str(number)) == number] == [0, 7, 8, 9]


def test_a_half_written_entry_is_dropped_when_it_is_old(cache: Cache) -> None:
    cache.store(Kind.RUN, "key", caches.pack(1))
    young, old = (cache.folder / Kind.RUN.value / f"x.{number}.tmp" for number in range(2))
    for file in (young, old):
        file.write_bytes(b"half")
    os.utime(old, (time.time() - 5000,) * 2)
    cache.trim(Kind.RUN, {"key"}, 0)
    assert young.exists() and not old.exists()
    assert cache.load(Kind.RUN, "key") == 1


def test_clean_removes_it(project: Path, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    arguments = ["--cache-dir", str(kept)]
    CliRunner().invoke(cli, ["check", str(project), *arguments])
    result = CliRunner().invoke(cli, ["clean", str(project), *arguments])
    assert (result.exit_code, result.stdout) == (0, f"removed: {kept}\n")
    assert not kept.exists()
    result = CliRunner().invoke(cli, ["clean", str(project), *arguments])
    assert (result.exit_code, result.stdout) == (0, "nothing to remove\n")


def test_clean_leaves_other_folders_alone(project: Path, tmp_path: Path) -> None:
    result = CliRunner().invoke(cli, ["clean", "--cache-dir", str(project)])
    assert result.exit_code == 2 and "not a cache of leaklint" in result.stderr
    assert (project / "desk.py").is_file()
    kept = tmp_path / "kept"
    CliRunner().invoke(cli, ["check", str(project), "--cache-dir", str(kept)])
    (kept / "mine").write_text("mine")
    result = CliRunner().invoke(cli, ["clean", "--cache-dir", str(kept)])
    assert result.exit_code == 2 and (kept / "mine").read_text() == "mine"


# --- what happens to files -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: b"",
        lambda data: data[:10],
        lambda data: data[:-1],
        lambda data: data[:20] + bytes([data[20] ^ 1]) + data[21:],
        lambda data: data + b"more",
        lambda data: bytes(len(data)),
    ],
)
def test_what_was_damaged_is_not_there(project: Path, cache: Cache, damage: Callable[[bytes], bytes]) -> None:
    cold = shown(checked(project, cache))
    for file in entries(cache):
        file.write_bytes(damage(file.read_bytes()))
    warm = checked(project, cache)
    assert warm.statistics is not None and not warm.statistics.cached_files
    assert shown(warm) == cold
    assert recalled(checked(project, cache))


def test_a_folder_in_the_place_of_an_entry_is_passed_over(project: Path, cache: Cache) -> None:
    cold = shown(checked(project, cache))
    for file in entries(cache):
        file.unlink()
        file.mkdir()
    assert shown(checked(project, cache)) == cold


class _Runs:
    """A pickle that calls a function when it is read as one."""

    def __init__(self, function: Callable[..., object], *arguments: object) -> None:
        self.call = (function, arguments)

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        return self.call


def _nested(target: Path) -> bytes:
    """`Span.__init__.__globals__` and what else dots lead to, by the opcode that takes them apart."""
    return b"\x80\x04\x8c\x10leaklint.finding\x8c\x0fhashlib.blake2b\x93\x8c\x01x\x85R."


def _pickled(function: Callable[..., object], *arguments: object) -> bytes:
    return pickle.dumps(_Runs(function, *arguments), 5)


@pytest.mark.parametrize(
    "attack",
    [
        lambda target: _pickled(os.mkdir, str(target)),
        lambda target: _pickled(eval, f"__import__('os').mkdir({str(target)!r})"),
        lambda target: _pickled(getattr, leaklint.finding.Span, "__init__"),
        lambda target: _pickled(subprocess.Popen, ["mkdir", str(target)]),
        lambda target: _pickled(caches.clean, target, target),
        _nested,
        lambda target: pickle.dumps(SimpleNamespace(analysis=1), 5),
        lambda target: pickle.dumps(["plain", "but", "no", "analysis"], 5),
    ],
)
def test_an_entry_that_somebody_else_has_made_runs_nothing(
    project: Path, cache: Cache, tmp_path: Path, attack: Callable[[Path], bytes]
) -> None:
    cold = shown(checked(project, cache))
    target = tmp_path / "made"
    data = attack(target)
    for file in entries(cache):
        file.write_bytes(caches._checksum(data) + data)
    assert shown(checked(project, cache)) == cold
    assert not target.exists()


@pytest.mark.parametrize(
    "attack", [lambda target: _pickled(os.mkdir, str(target)), lambda target: pickle.dumps(["plain"], 5), lambda _: b""]
)
def test_code_that_somebody_else_has_put_into_an_entry_runs_nothing(
    project: Path, cache: Cache, tmp_path: Path, attack: Callable[[Path], bytes]
) -> None:
    cold = shown(checked(project, cache))
    target = tmp_path / "made"
    for entry in (cache.folder / Kind.SUMMARY.value).iterdir():
        head, _ = caches.unpack(entry.read_bytes()[caches._CHECKSUM :])  # type: ignore[misc]
        data = caches.pack((head, attack(target)))
        entry.write_bytes(caches._checksum(data) + data)
    for entry in (cache.folder / Kind.RUN.value).iterdir():
        entry.unlink()
    warm = checked(project, cache)
    assert warm.statistics is not None and warm.statistics.cached_files
    assert shown(warm) == cold
    assert not target.exists()


def test_a_folder_that_cannot_be_written_is_done_without(project: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    unwritable = caches.opened(project, tmp_path / "file" / "kept")
    assert unwritable is not None
    assert shown(checked(project, unwritable)) == shown(checked(project))


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="permissions do not bind this user")
def test_a_read_only_folder_is_read(project: Path, cache: Cache) -> None:
    checked(project, cache)
    folders = [cache.folder, *filter(Path.is_dir, (cache.folder / kind.value for kind in Kind))]
    for folder in folders:
        folder.chmod(0o500)
    try:
        assert recalled(checked(project, cache))
        (project / "desk.py").write_text(f"# moved\n{DESK}")
        assert shown(checked(project, cache)) == shown(checked(project))
    finally:
        for folder in folders:
            folder.chmod(0o700)


def command(project: Path, kept: Path) -> list[str]:
    arguments = ["check", str(project), "--cache-dir", str(kept), "--output-format", "concise"]
    return [sys.executable, "-m", "leaklint", *arguments]


def test_runs_at_the_same_time_do_not_disturb_one_another(project: Path, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    started = [
        subprocess.Popen(command(project, kept), stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment())
        for _ in range(4)
    ]
    outputs = {process.communicate() for process in started}
    assert len(outputs) == 1 and {process.returncode for process in started} == {1}
    cache = caches.opened(project, kept)
    assert cache is not None
    assert not list(kept.rglob("*.tmp")) and recalled(checked(project, cache))


def test_a_run_that_is_killed_leaves_nothing_that_harms(project: Path, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    process = subprocess.Popen(command(project, kept), stdout=subprocess.DEVNULL, env=environment())
    deadline = time.monotonic() + 60
    while not list(kept.glob("summaries/*")) and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.wait()
    cache = caches.opened(project, kept)
    assert cache is not None
    assert shown(checked(project, cache)) == shown(checked(project))
    assert recalled(checked(project, cache))


def test_a_changed_file_that_cannot_be_parsed_any_more_is_a_problem_again(project: Path, cache: Cache) -> None:
    checked(project, cache)
    (project / "package" / "module.py").write_text("value = (\n")
    warm = checked(project, cache)
    assert [problem.path for problem in warm.problems] == ["package/module.py"]
    assert shown(warm) == shown(checked(project))
    assert shown(checked(project, cache)) == shown(warm)


def test_the_key_of_a_run_knows_every_setting_that_the_analysis_reads(tmp_path: Path) -> None:
    base = Config(tmp_path)
    model = tmp_path / "own.toml"
    model.write_text("")
    others = [
        replace(base, src=("lib",)),
        replace(base, ids=("ticket",)),
        replace(base, check_tests=True),
        replace(base, models=(model,)),
    ]
    assert len({reuse._key([], config) for config in (base, *others)}) == 5
