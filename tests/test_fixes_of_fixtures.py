"""Every fixture with all its fixes made: it compiles, lacks what was fixed, has nothing new, and stays as it is."""

from __future__ import annotations

import re
import shutil
from collections import Counter
from pathlib import Path

import marks
import pytest

from leaklint import fix as fixes
from leaklint import pages
from leaklint.config import Config
from leaklint.finding import Confidence, Fix
from leaklint.run import run

CASES = sorted(
    case
    for case in (*(marks.FIXTURES / "rules").glob("*/*"), *(marks.FIXTURES / "apps").iterdir())
    if case.is_dir() and marks.read(case).leaks
)
ONE_CAUSE_LEFT = {"shared-instance-and-shared-class"}  # what is shared twice is shared once the class lets go of it


def _named(folder: Path) -> str:
    return folder.relative_to(marks.FIXTURES).as_posix()


def _rules(config: Config) -> Counter[str]:
    report = run([config.root], config)
    assert not report.problems
    return Counter(finding.rule for finding in report.findings)


def _is_on_the_page(rule: str, fix: Fix) -> bool:
    """Whether the rule's page says when its fixes are of that tier."""
    return re.search(rf"\b{fix.safety.value}\b", dict(pages.page(rule).sections)["Fix"], re.IGNORECASE) is not None


@pytest.mark.parametrize("folder", CASES, ids=_named)
def test_what_is_fixed_is_gone_and_nothing_else_comes(folder: Path, tmp_path: Path) -> None:
    config = Config(root=tmp_path / folder.name, min_confidence=Confidence.LOW)
    shutil.copytree(folder, config.root)
    before = _rules(config)
    outcome = fixes.fix(config.root, config, [config.root], unsafe=True, select=(), apply=True)

    assert folder.name in ONE_CAUSE_LEFT or not [reason for _, reason in outcome.left if "taken back" in reason]
    assert not [
        (one.rule, one.fix.safety) for one in outcome.fixed if one.fix and not _is_on_the_page(one.rule, one.fix)
    ]
    for path in outcome.changed:
        compile((config.root / path).read_bytes(), path, "exec", dont_inherit=True)
    if not outcome.changed:
        return  # neither a finding less nor one more
    assert _rules(config) <= before - Counter(finding.rule for finding in outcome.fixed)
    assert fixes.fix(config.root, config, [config.root], unsafe=True, select=(), apply=True).changed == ()
