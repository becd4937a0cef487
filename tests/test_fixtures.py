"""Every line of every fixture is an assertion: marked lines are found, all others are silent."""

from __future__ import annotations

import tomllib
from pathlib import Path

import marks
import pytest

from leaklint import rule
from leaklint.config import SUPPRESSION_RULES

RULES = marks.FIXTURES / "rules"
CASES = sorted(case for kind in RULES.iterdir() if kind.is_dir() for case in kind.iterdir() if case.is_dir())
APPS = sorted(app for app in (marks.FIXTURES / "apps").iterdir() if app.is_dir())
CATALOGUE = tomllib.loads((Path(__file__).parent / "catalogue.toml").read_text("utf-8"))


def _named(folder: Path) -> str:
    return folder.relative_to(marks.FIXTURES).as_posix()


@pytest.mark.parametrize("folder", [*CASES, *APPS], ids=_named)
def test_marked_lines_are_found_and_all_others_are_silent(folder: Path) -> None:
    wrong = marks.differences(folder)
    assert not wrong, "\n" + "\n".join(wrong)


@pytest.mark.parametrize("folder", [*CASES, *APPS], ids=_named)
def test_marks_name_rules_that_exist(folder: Path) -> None:
    said = marks.read(folder)
    assert {name for _, _, name in said.leaks} <= {*rule.names(), *SUPPRESSION_RULES}
    assert {name for _, _, name in said.missed} <= {*CATALOGUE, *rule.names()}


@pytest.mark.parametrize("name", rule.names())
def test_every_rule_has_a_leak_and_a_silent_twin(name: str) -> None:
    cases = [case for case in CASES if case.parent.name == name]
    leaking = [case.name for case in cases if any(marked == name for _, _, marked in marks.read(case).leaks)]
    silent = [case.name for case in cases if not marks.read(case).leaks and not marks.read(case).missed]
    assert leaking, f"no case in fixtures/rules/{name} is marked `# leak: {name}`"
    assert silent, f"no case in fixtures/rules/{name} is silent"


def test_the_folders_of_cases_are_named_for_rules_and_hold_only_cases() -> None:
    assert {kind.name for kind in RULES.iterdir()} <= set(rule.names())
    assert not [_named(file) for file in RULES.glob("*/*") if not file.is_dir()]
    assert not [_named(case) for case in CASES if not any(case.rglob("*.py"))]


# --- the comparison itself can fail -----------------------------------------------------------------------------------

SHARED = """
from fastapi import FastAPI

app = FastAPI()
last = {}


class Desk:
    user = ""


desk = Desk()


@app.get("/greet")
def greet(user: str) -> str:
    desk.user = user%s
    return desk.user%s
"""


def _differences(folder: Path, write: str = "", read: str = "") -> list[str]:
    (folder / "app.py").write_text(SHARED % (write, read))
    return marks.differences(folder)


def test_a_mark_that_is_met_is_no_difference(tmp_path: Path) -> None:
    assert _differences(tmp_path, write="  # leak: shared-attribute-write") == []


def test_a_finding_without_a_mark_is_a_false_alarm(tmp_path: Path) -> None:
    [line] = _differences(tmp_path)
    assert line.startswith(f"false alarm: {tmp_path.name}/app.py:17 shared-attribute-write: ")


def test_a_mark_without_a_finding_is_a_missed_alarm(tmp_path: Path) -> None:
    [line] = _differences(tmp_path, write="  # leak: shared-attribute-write", read="  # leak: global-rebind")
    assert line == f"missed alarm: {tmp_path.name}/app.py:18 global-rebind"


def test_a_known_miss_that_is_found_is_a_difference(tmp_path: Path) -> None:
    [line] = _differences(tmp_path, write="  # type: ignore  # missed: shared-attribute-write")
    assert "mark it `leak`" in line


def test_a_rule_marked_twice_must_be_found_twice(tmp_path: Path) -> None:
    [line] = _differences(tmp_path, write="  # leak: shared-attribute-write, shared-attribute-write")
    assert line.startswith("missed alarm: ")


def test_what_could_not_be_checked_is_a_difference(tmp_path: Path) -> None:
    [line] = marks.differences(tmp_path)
    assert line.startswith("not checked: ")


@pytest.mark.parametrize("comment", ["# leak: a b", "# leak:a", "#  leak: a", "# missed: A", "# leak: a,b", "# leak:"])
def test_what_is_nearly_a_mark_is_an_error(tmp_path: Path, comment: str) -> None:
    (tmp_path / "app.py").write_text(f"x = 1  {comment}\n")
    with pytest.raises(ValueError, match=r"app\.py:1: not a mark"):
        marks.read(tmp_path)


def test_a_mark_on_a_line_of_its_own_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text("x = 1\n# leak: shared-attribute-write\n")
    with pytest.raises(ValueError, match=r"app\.py:2: a mark stands behind"):
        marks.read(tmp_path)


def test_a_mark_inside_a_string_is_none(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text('x = "  # leak: shared-attribute-write"\n')
    assert not marks.read(tmp_path).leaks
