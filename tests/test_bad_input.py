"""Input that cannot be checked: one line that names it, a hint, the right exit code, and the rest still reported."""

from __future__ import annotations

import os
from pathlib import Path

import fake_engine
import pytest
from click.testing import CliRunner, Result
from fake_engine import FakeEngine, finding

from leaklint.cli import cli


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> FakeEngine:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "leaklint.toml").touch()
    engine = fake_engine.install(monkeypatch)
    engine.findings = (finding("good.py"),)
    return engine


def check(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["check", "--output-format", "concise", *arguments])


def undecodable(path: Path) -> str:
    path.write_bytes(b"x = 1\ny = '\xe9'\n")
    return "error: bad.py:2: cannot be decoded: utf-8: "


def unknown_encoding(path: Path) -> str:
    path.write_bytes(b"# coding: klingon\n")
    return "error: bad.py: cannot be decoded: unknown encoding: klingon"


def huge(path: Path) -> str:
    path.write_bytes(b"#" * (10 * 1024 * 1024 + 1))
    return "error: bad.py: larger than 10 MB"


def broken_link(path: Path) -> str:
    path.symlink_to("nowhere")
    return "error: bad.py: broken symbolic link"


def endless_link(path: Path) -> str:
    path.symlink_to(path)
    return "error: bad.py: symbolic link that leads back to itself"


def pipe(path: Path) -> str:
    os.mkfifo(path)
    return "error: bad.py: not a regular file"


def unreadable(path: Path) -> str:
    path.symlink_to("/proc/self/mem")  # nobody may read it, whatever the permission bits say
    return "error: bad.py: cannot be read: "


BAD = [undecodable, unknown_encoding, huge, broken_link, endless_link, pipe, unreadable]


@pytest.mark.parametrize("bad", BAD)
def test_a_file_that_cannot_be_read_is_named_and_the_rest_is_reported(engine: FakeEngine, bad: object) -> None:
    Path("good.py").write_text("x = 1\n")
    expected = bad(Path("bad.py"))  # type: ignore[operator]
    result = check()
    lines = result.stdout.splitlines()
    assert result.exit_code == 3
    assert lines[0].startswith("good.py:1:1: leak[")
    assert lines[1].startswith(expected)
    assert lines[2].startswith("  hint: ")
    assert lines[3] == "1 finding: 1 leak; 1 file checked (1 could not be checked)"
    assert result.stderr == ""


def test_a_problem_outside_of_the_paths_is_told_all_the_same(engine: FakeEngine) -> None:
    Path("good.py").touch()
    undecodable(Path("bad.py"))
    assert check("good.py").exit_code == 3  # it is part of the program, which was not seen whole


def test_an_empty_file_is_good_input(engine: FakeEngine) -> None:
    Path("empty.py").touch()
    assert check().exit_code == 0


@pytest.mark.parametrize("make", [lambda: None, lambda: Path("empty").mkdir(), lambda: Path("notes.txt").touch()])
def test_nothing_to_check_is_never_success(engine: FakeEngine, make: object) -> None:
    make()  # type: ignore[operator]
    result = check()
    assert result.exit_code == 3
    assert result.stdout.startswith("error: .: nothing to check: no Python files\n  hint: ")
    assert engine.programs == []


def test_a_path_without_python_files_is_named(engine: FakeEngine) -> None:
    Path("good.py").touch()
    Path("docs").mkdir()
    Path("notes.txt").touch()
    result = check("docs", "notes.txt", "good.py")
    assert result.exit_code == 3
    assert "error: docs: nothing to check: no Python files" in result.stdout
    assert "error: notes.txt: nothing to check: not a Python file" in result.stdout
    assert "good.py:1:1: leak[" in result.stdout


def test_a_missing_path_is_wrong_usage(engine: FakeEngine) -> None:
    Path("good.py").touch()
    Path("loop").symlink_to("loop")
    for missing in ("nowhere", "good.py/nowhere", "loop"):
        result = check("good.py", missing)
        assert result.exit_code == 2
        assert result.stderr.startswith(f"error: {missing}: no such file or folder\n")


def test_a_name_that_is_not_text_is_shown_escaped(engine: FakeEngine) -> None:
    name = os.fsdecode(b"b\xffd.py")
    Path(name).write_bytes(b"\xff")
    result = check()
    assert result.exit_code == 3
    assert "error: b\\udcffd.py: cannot be decoded" in result.stdout
