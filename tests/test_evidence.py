"""The page of evidence is what its data file says."""

from __future__ import annotations

import importlib.util
import tomllib
from pathlib import Path
from types import ModuleType

import pytest

from leaklint import rule

ROOT = Path(__file__).resolve().parent.parent
DATA = tomllib.loads((ROOT / "docs" / "evidence.toml").read_text("utf-8"))


def _generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("evidence", ROOT / "benchmarks" / "evidence.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_is_current() -> None:
    page = (ROOT / "docs" / "evidence.md").read_text("utf-8")
    assert page == _generator().render(DATA), "run `python benchmarks/evidence.py`"


def test_every_judged_finding_names_a_rule_and_a_reason() -> None:
    assert DATA["judged"]
    for entry in DATA["judged"]:
        assert entry["rule"] in rule.names()
        assert entry["reason"].endswith(".") and len(entry["commit"]) == 40


def test_findings_are_judged_once() -> None:
    seen = [(e["repository"], e["commit"], e["path"], e["line"], e["rule"]) for e in DATA["judged"]]
    assert len(seen) == len(set(seen))


def test_an_unknown_verdict_is_refused() -> None:
    with pytest.raises(ValueError, match="no such verdict: maybe"):
        _generator().render({"how": "", "judged": [{"verdict": "maybe"}]})
