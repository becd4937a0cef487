"""The same program gives the same findings, whatever the order of its files and of Python's sets."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import marks
import pytest
from msgspec.structs import replace

from leaklint.analysis import Statistics
from leaklint.check import check
from leaklint.config import Config
from leaklint.files import SourceFile, collect
from leaklint.finding import Finding

APPS = sorted(app for app in (marks.FIXTURES / "apps").iterdir() if app.is_dir())


@pytest.mark.parametrize("app", APPS, ids=lambda app: app.name)
def test_the_order_of_files_changes_nothing(app: Path) -> None:
    config = Config(root=app)
    files, _ = collect(app, config, [app])
    expected = _told(files, config)
    assert expected[0]
    for seed in range(3):
        mixed = list(files)
        random.Random(seed).shuffle(mixed)
        assert mixed != files
        assert _told(mixed, config) == expected


def _told(files: Sequence[SourceFile], config: Config) -> tuple[tuple[Finding, ...], Statistics]:
    """The findings, and all that was counted on the way to them."""
    analysis = check(files, config)
    return analysis.findings, replace(analysis.statistics, seconds={})


def test_the_order_of_sets_changes_nothing() -> None:
    command = [sys.executable, "-m", "leaklint", "check", "--isolated", "--no-cache", str(marks.FIXTURES / "apps")]
    said = {
        subprocess.run(command, capture_output=True, check=False, env={**os.environ, "PYTHONHASHSEED": seed}).stdout
        for seed in ("0", "1", "2")
    }
    assert len(said) == 1
    assert said != {b""}
