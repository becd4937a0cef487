"""Whole programs, fixed as `leaklint fix --unsafe-fixes` does: shared names, variables, and state of sessions.

`before.py` becomes `after.py`, or its finding is left with the reason of `reason.txt`.
"""

from pathlib import Path

import pytest
from leaklint import fix as fixes
from leaklint.config import Config

from pairs import CASES, comments

FOLDERS = sorted([*(CASES / "names").iterdir(), *(CASES / "programs").iterdir()])


def mended(folder: Path, text: str) -> fixes.Outcome:
    (folder / "before.py").write_text(text, newline="")
    return fixes.fix(folder, Config(folder), (folder,), unsafe=True, select=(), apply=True)


@pytest.mark.parametrize("case", FOLDERS, ids=lambda case: case.name)
@pytest.mark.parametrize("end", ["\n", "\r\n"], ids=["lf", "crlf"])
def test_case(case: Path, end: str, tmp_path: Path) -> None:
    before = (case / "before.py").read_text().replace("\n", end)
    outcome = mended(tmp_path, before)
    result = (tmp_path / "before.py").read_bytes().decode()
    if (case / "reason.txt").exists():
        assert outcome.left, "nothing is found, so nothing is refused"
        assert {reason for _, reason in outcome.left} == set((case / "reason.txt").read_text().splitlines())
        assert result == before
        return
    assert result.replace("\r\n", "\n") == (case / "after.py").read_text()
    assert result.count(end) == result.count("\n")
    assert comments(result) >= comments(before)
    assert [reason for _, reason in outcome.left if "taken back" in reason] == []
    assert mended(tmp_path, result).changed == ()
