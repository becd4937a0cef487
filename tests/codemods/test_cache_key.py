"""A memoised function whose callee reads who asks, to one that gets it as an argument."""

import shutil
from pathlib import Path

import pytest
from leaklint.config import Config
from leaklint.finding import Fix, Safety
from leaklint.run import run

from pairs import apply

CASE = Path(__file__).resolve().parents[2] / "fixtures/rules/user-blind-cache/memoised-and-emptied-elsewhere"


def fix_of(folder: Path, change: tuple[str, str, str] = ("app.py", "", "")) -> Fix:
    """The fix of the one finding, with one text of the case changed."""
    shutil.copytree(CASE, folder, dirs_exist_ok=True)
    name, old, new = change
    text = (folder / name).read_text()
    assert old in text
    (folder / name).write_text(text.replace(old, new))
    [finding] = run([folder], Config(root=folder, select=("user-blind-cache",))).findings
    assert finding.fix is not None
    return finding.fix


def test_callers_say_who_asks_as_other_files_do(tmp_path: Path) -> None:
    fix = fix_of(tmp_path)
    assert (fix.refused, fix.safety) == ("", Safety.SUGGESTED)
    before = (CASE / "limits.py").read_text()
    after = apply(before, fix.edits)
    assert {edit.path for edit in fix.edits} == {"limits.py"}
    assert after == before.replace("any_limit() -> bool", "any_limit(tenant_id: str) -> bool").replace(
        "not any_limit()", "not any_limit(get_current_tenant_id())"
    ).replace("from store import rows\n", "from store import rows\nfrom tenants import get_current_tenant_id\n")


@pytest.mark.parametrize(
    ("change", "refused"),
    [
        (("app.py", "any_limit.cache_clear()", "any_limit()"), "`any_limit` is used in app.py too"),
        (
            ("limits.py", "not any_limit()", "not any(map(any_limit, []))"),
            "`any_limit` cannot take another argument: it is used at limits.py:12",
        ),
        (("store.py", "from tenants import get_current_tenant_id", "from tenants import *"), "nobody else imports"),
    ],
)
def test_what_cannot_say_it_is_in_the_way(tmp_path: Path, change: tuple[str, str, str], refused: str) -> None:
    assert fix_of(tmp_path, change).refused.startswith(refused)
