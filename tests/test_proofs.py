"""Conversions proven by running: before, one user sees what belongs to another; once fixed, each is served as if alone.

Each folder of `tests/proofs/cases` is a small application that runs for real, and is named for the conversion and its
surroundings. Comments at the top of its `app.py` say the titles of the fixes that it proves, the rules that offer
them, and what shows before where that is not the other user: work that is lost when two meet, or no id of their own.

Folders of `standins` are found before libraries of that name, which the tests do not ask for.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from leaklint import fix as fixes
from leaklint import rule
from leaklint.config import Config
from leaklint.finding import Safety

PROOFS = Path(__file__).resolve().parent / "proofs"
CASES = sorted(case.name for case in (PROOFS / "cases").iterdir())
DEADLOCK_SECONDS = 120  # far above what a case needs: it turns a deadlock into a failure


def _played(app: Path) -> Any:
    command = [sys.executable, "-P", str(PROOFS / "play.py")]
    paths = os.pathsep.join((str(PROOFS), str(PROOFS / "standins")))
    settings = {**os.environ, "PYTHONPATH": paths, "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        command, cwd=app, env=settings, capture_output=True, text=True, timeout=DEADLOCK_SECONDS, check=False
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return json.loads(done.stdout.splitlines()[-1])


def _shows(what: str, before: Any, after: Any) -> bool:
    """Whether the bug that a case is about is there before the fix."""
    together = before["together"]
    match what:
        case "lost work":
            return bool(together != before["alone"])
        case "no id":
            return not any(name in json.dumps(before["alone"][name]) for name in before["alone"]) and all(
                name in json.dumps(after["alone"][name]) for name in after["alone"]
            )
        case _:
            return "bob" in json.dumps(together["ann"]) or "ann" in json.dumps(together["bob"])


def _settings(app: Path, key: str) -> list[str]:
    return re.findall(rf"^# {key}: (.*)$", (app / "app.py").read_text("utf-8"), re.M)


def _fixed(app: Path) -> fixes.Outcome:
    return fixes.fix(app, Config(root=app), [app], unsafe=True, select=(), apply=True)


def test_every_rule_that_offers_a_fix_has_one_that_is_proven() -> None:
    proven = {name for case in CASES for name in _settings(PROOFS / "cases" / case, "rule")}
    assert proven == {name for name, kind in rule.load_all().items() if kind.fix in (Safety.SAFE, Safety.SUGGESTED)}


@pytest.mark.parametrize("name", CASES)
def test_users_are_apart_once_fixed_and_not_before(name: str, tmp_path: Path) -> None:
    app = Path(shutil.copytree(PROOFS / "cases" / name, tmp_path / name))
    (app / ".git").mkdir()
    titles, what = set(_settings(app, "fix")), "".join(_settings(app, "shows"))

    before = _played(app)
    outcome = _fixed(app)
    assert titles
    assert titles <= {one.fix.title for one in outcome.fixed if one.fix}, [why for _, why in outcome.left]
    offering = {one.rule for one in outcome.fixed if one.fix and one.fix.title in titles}
    assert offering == set(_settings(app, "rule"))
    assert not outcome.left
    assert _fixed(app).diff == ""

    after = _played(app)
    assert _shows(what, before, after), f"the bug does not show: {before}"
    assert not _shows(what, after, after), f"the bug still shows: {after}"
    assert after["together"] == after["alone"], "the users are not apart"
    if what != "no id":
        assert after["alone"] == before["alone"], "a single user is served in another way"
