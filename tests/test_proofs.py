"""Conversions proven by running: before, one user sees what belongs to another; once fixed, each is served as if alone.

Each folder of `tests/proofs/cases` is a small application that runs for real, and is named for the conversion and its
surroundings. The first comment of its `app.py` is the title of the fix that it proves.
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
from leaklint.config import Config

PROOFS = Path(__file__).resolve().parent / "proofs"
CASES = sorted(case.name for case in (PROOFS / "cases").iterdir())
DEADLOCK_SECONDS = 120  # far above what a case needs: it turns a deadlock into a failure


def _played(app: Path) -> Any:
    command = [sys.executable, "-P", str(PROOFS / "play.py")]
    settings = {**os.environ, "PYTHONPATH": str(PROOFS), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        command, cwd=app, env=settings, capture_output=True, text=True, timeout=DEADLOCK_SECONDS, check=False
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return json.loads(done.stdout.splitlines()[-1])


def _crossed(seen: Any) -> bool:
    """Whether one of the two users is shown the name of the other."""
    together = seen["together"]
    return "bob" in json.dumps(together["ann"]) or "ann" in json.dumps(together["bob"])


@pytest.mark.parametrize("name", CASES)
def test_users_are_apart_once_fixed_and_not_before(name: str, tmp_path: Path) -> None:
    app = Path(shutil.copytree(PROOFS / "cases" / name, tmp_path / name))
    (app / ".git").mkdir()
    title = re.search(r"^# fix: (.*)$", (app / "app.py").read_text("utf-8"), re.M)
    assert title is not None, "app.py does not say which fix it proves"

    before = _played(app)
    assert _crossed(before), "the leak does not show"

    outcome = fixes.fix(app, Config(root=app), [app], unsafe=True, select=(), apply=True)
    assert title[1] in [one.fix.title for one in outcome.fixed if one.fix], [why for _, why in outcome.left]
    assert not outcome.left

    after = _played(app)
    assert after["alone"] == before["alone"], "a single user is served in another way"
    assert after["together"] == after["alone"], "the users are not apart"
    again = fixes.fix(app, Config(root=app), [app], unsafe=True, select=(), apply=True)
    assert again.diff == ""
