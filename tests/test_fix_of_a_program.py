"""`leaklint fix` on a program on disk, by the real analysis: what is written, what is not, and what is said of it."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from msgspec.structs import replace

from leaklint import fix as fixes
from leaklint import run
from leaklint.cli import cli
from leaklint.codemods import Refused, offer
from leaklint.config import Config
from leaklint.finding import Edit, Fix, Safety
from leaklint.run import Report

DESK = """from letters import heading


class Desk:
    def __init__(self) -> None:
        self.user = ""  # of nobody: Fräulein

    async def greet(self, name: str) -> str:
        self.user = name
        return await heading(self)


desk = Desk()
"""
LETTERS = """async def heading(desk) -> str:
    return f"Dear {desk.user}"
"""
APP = """from fastapi import FastAPI

from desk import desk

app = FastAPI()
language = "en"
visits: list[str] = []


@app.get("/greet")
async def greet(user: str) -> str:
    return await desk.greet(user)


@app.get("/language")
async def choose(code: str) -> str:
    global language
    language = code
    await hello()
    return language


@app.get("/visit")
async def visit(text: str) -> str:
    visits.append(text)
    return visits[-1]


async def hello() -> None: ...
"""
FILES = {"app.py": APP, "desk.py": DESK, "letters.py": LETTERS}


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / ".git").mkdir()
    for name, text in FILES.items():
        (tmp_path / name).write_text(text, "utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def leaklint(*arguments: str, typed: str = "") -> Result:
    return CliRunner().invoke(cli, [*arguments, "--no-cache"], prog_name="leaklint", input=typed)


def texts(folder: Path) -> dict[str, str]:
    return {name: (folder / name).read_text("utf-8") for name in FILES}


def changed(folder: Path) -> set[str]:
    return {name for name, text in texts(folder).items() if text != FILES[name]}


def test_the_summary_says_what_is_mended_what_is_left_and_why(program: Path) -> None:
    shown = leaklint("fix", "--unsafe-fixes")
    said = [line for line in shown.stdout.splitlines() if re.match(r"(can be )?mended: |left: |\d+ ", line)]
    assert said[0].startswith("can be mended: app.py:18:5: global-rebind: ")
    assert said[1] == "can be mended: desk.py:9:9: shared-attribute-write: Hand `user` down as an argument"
    assert re.match(r"left: app\.py:25:5: shared-container-write: its fix is refused: .*app\.py:25", said[2])
    assert said[3:] == ["2 can be mended in 3 files, 1 left"]
    assert changed(program) == set()

    assert leaklint("fix", "--unsafe-fixes", "--apply").stdout.splitlines()[-1] == "2 mended in 3 files, 1 left"
    assert changed(program) == set(FILES)
    again = leaklint("fix", "--unsafe-fixes", "--apply").stdout.splitlines()
    assert [line.split(":")[0] for line in again] == ["left", "0 mended in 0 files, 1 left"]


def test_suggested_fixes_wait_until_they_are_asked_for(program: Path) -> None:
    result = leaklint("fix", "--apply")
    assert changed(program) == set()
    assert result.stdout.count("its fix may change behaviour: `--unsafe-fixes` takes it in") == 2


def test_only_what_is_selected_is_mended(program: Path) -> None:
    leaklint("fix", "--apply", "--unsafe-fixes", "--select", "global-rebind")
    assert changed(program) == {"app.py"}


@pytest.mark.parametrize(
    ("typed", "files"), [("n\ny\n", {"desk.py", "letters.py"}), ("y\nq\n", {"app.py"}), ("a\n", set(FILES))]
)
def test_what_somebody_agrees_to_is_mended(program: Path, typed: str, files: set[str]) -> None:
    result = leaklint("fix", "--interactive", "--unsafe-fixes", typed=typed.replace("a\n", "all\n"))
    assert changed(program) == files, result.stdout
    assert ("declined" in result.stdout) == (typed[0] == "n")
    assert ("not asked about: you quit" in result.stdout) == ("q" in typed)


def test_a_fix_of_two_files_is_not_made_in_one(program: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write = fixes.write

    def late(*arguments: object) -> object:
        (program / "letters.py").write_text(LETTERS + "# meanwhile\n")
        return write(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(fixes, "write", late)
    result = leaklint("fix", "--apply", "--unsafe-fixes", "--select", "shared-attribute-write")
    assert "error: letters.py: changed since it was judged, and is left alone" in result.stdout
    assert "error: desk.py: not written, because letters.py was not" in result.stdout
    assert "0 mended in 0 files" in result.stdout
    assert (changed(program), result.exit_code) == ({"letters.py"}, 3)
    assert texts(program)["letters.py"] == LETTERS + "# meanwhile\n"


def test_what_is_not_edited_stays_byte_for_byte(program: Path) -> None:
    desk = b"\xef\xbb\xbf" + DESK.replace("\n", "\r\n").encode("utf-8")
    letters = b"# coding: latin-1\n# f\xfcr\n" + LETTERS.encode("latin-1").rstrip(b"\n")
    (program / "desk.py").write_bytes(desk)
    (program / "far").mkdir()
    (program / "far" / "letters.txt").write_bytes(letters)
    (program / "letters.py").unlink()
    (program / "letters.py").symlink_to("far/letters.txt")
    (program / "desk.py").chmod(0o640)
    leaklint("fix", "--apply", "--unsafe-fixes")
    assert (program / "desk.py").read_bytes() == (
        desk.replace(b'self.user = ""', b"pass")
        .replace(b"        self.user = name\r\n", b"")
        .replace(b"heading(self)", b"heading(self, name)")
    )
    assert (program / "letters.py").is_symlink()
    assert (program / "far" / "letters.txt").read_bytes() == (
        letters.replace(b"(desk)", b"(desk, name: str)").replace(b"{desk.user}", b"{name}")
    )
    assert stat.S_IMODE((program / "desk.py").stat().st_mode) == 0o640
    assert sorted(one.name for one in program.iterdir()) == [".git", "app.py", "desk.py", "far", "letters.py"]


def test_a_file_is_on_disk_before_it_takes_the_place_of_the_old_one(
    program: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    sync, replace = os.fsync, Path.replace

    def synced(handle: int) -> None:
        done.append("sync")
        sync(handle)

    def replaced(self: Path, target: Path) -> Path:
        done.append(f"replace {target.name}")
        return replace(self, target)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(Path, "replace", replaced)
    leaklint("fix", "--apply", "--unsafe-fixes", "--select", "shared-attribute-write")
    assert done == ["sync", "sync", "replace desk.py", "replace letters.py"]


def _edited(old: str, new: str) -> Callable[[str], tuple[Edit, ...]]:
    return lambda text: (Edit("desk.py", text.index(old), text.index(old) + len(old), old, new),)


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("return await heading(self)", "return  await heading(self)", "the finding is still there"),
        ("self.user = name", "self.user = (", "desk.py does not compile any more"),
        (
            "self.user = name",
            "Desk.name = name; print(Desk.name)",
            "it brings about `class-attribute-write` at desk.py:9",
        ),
    ],
)
def test_a_fix_that_does_not_hold_is_taken_back_and_told(
    program: Path, monkeypatch: pytest.MonkeyPatch, old: str, new: str, reason: str
) -> None:
    check = run.run

    def with_another_fix(*arguments: object) -> Report:
        report = check(*arguments)  # type: ignore[arg-type]
        found = [
            replace(one, fix=Fix("Try", Safety.SAFE, _edited(old, new)(report.texts["desk.py"])))
            if one.rule == "shared-attribute-write" and old in report.texts["desk.py"]
            else replace(one, fix=None)
            for one in report.findings
        ]
        return replace(report, findings=tuple(found))

    monkeypatch.setattr(run, "run", with_another_fix)
    outcome = fixes.fix(program, Config(program), [program], unsafe=False, select=(), apply=True)
    (why,) = (why for one, why in outcome.left if one.rule == "shared-attribute-write")
    assert why.startswith(f"its fix was taken back: {reason}")
    assert changed(program) == set()


def test_a_refusal_is_an_answer() -> None:
    def refused() -> list[Edit]:
        raise Refused("it escapes at app.py:3")

    assert offer("Try", Safety.SAFE, refused).refused == "it escapes at app.py:3"
