"""The rules' own pages: complete, agreed with the catalogue, and their examples behave as they are said to."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from pathlib import Path

import marks
import pytest

from leaklint import pages, rule
from leaklint.finding import Edit, Finding, Safety, Severity

CATALOGUE = tomllib.loads((Path(__file__).parent / "catalogue.toml").read_text("utf-8"))
PASSES = 5

every_rule = pytest.mark.parametrize("name", rule.names())
fixing_rule = pytest.mark.parametrize(
    "name", [name for name, kind in rule.load_all().items() if kind.fix in (Safety.SAFE, Safety.SUGGESTED)]
)


def _section(name: str, title: str) -> str:
    return dict(pages.page(name).sections)[title]


def _code(name: str, title: str) -> str:
    """The one Python fence of a section; fences of other languages illustrate."""
    fences = re.findall(r"^```python\n(.*?)^```$", _section(name, title), re.M | re.S)
    assert len(fences) == 1, f"{title} has {len(fences)} fences of Python"
    return str(fences[0])


def _findings(folder: Path, code: str, name: str = "") -> tuple[Finding, ...]:
    """What is found in a program with default settings, and by the rule `name` if it is off by default."""
    (folder / "app.py").write_text(code, "utf-8")
    result = marks.report(folder, select=(name,) if name and not rule.load(name).default else ())
    assert not result.problems
    return result.findings


# --- pages ------------------------------------------------------------------------------------------------------------


@every_rule
def test_pages_have_all_headings_in_order_and_text_below_each(name: str) -> None:
    page = pages.page(name)
    assert tuple(title for title, _ in page.sections) == pages.HEADINGS
    assert not [title for title, body in page.sections if len(body) < 20]


@every_rule
def test_the_summary_is_one_sentence(name: str) -> None:
    assert re.fullmatch(r"[A-Z][^.]*\.", pages.page(name).summary)


@every_rule
def test_the_why_shows_two_requests_that_meet(name: str) -> None:
    if CATALOGUE[name]["severity"] == ["leak"] and CATALOGUE[name]["family"] == "shared-state":
        assert re.search(r"^request A +request B$", _section(name, "Why it leaks"), re.M)


@every_rule
def test_the_catalogue_agrees(name: str) -> None:
    page, entry = pages.page(name), CATALOGUE[name]
    assert page.family == entry["family"]
    assert page.severity in entry["severity"]
    assert page.fix in entry["fix"] or page.fix == "none"
    assert page.cwe


@every_rule
def test_the_page_names_the_weaknesses_it_declares(name: str) -> None:
    assert {int(n) for n in re.findall(r"CWE-(\d+)", _section(name, "References"))} == set(pages.page(name).cwe)


# --- examples ---------------------------------------------------------------------------------------------------------


@every_rule
def test_the_example_is_flagged_by_exactly_this_rule(name: str, tmp_path: Path) -> None:
    assert {finding.rule for finding in _findings(tmp_path, _code(name, "Example"), name)} == {name}


@every_rule
def test_use_instead_is_silent(name: str, tmp_path: Path) -> None:
    found = _findings(tmp_path, _code(name, "Use instead"), name)
    assert not found, [f"{f.span.line}: {f.rule}: {f.message}" for f in found]


@every_rule
def test_messages_say_what_is_kept_and_where(name: str, tmp_path: Path) -> None:
    for finding in _findings(tmp_path, _code(name, "Example"), name):
        assert "`" in finding.message
        assert finding.help
        for text in (finding.message, finding.help):
            assert not text.endswith(".")
            assert text[0] == text[0].lower()
            assert not re.search(r"\b(potential\w*|may|might|consider|please)\b", text), text


@fixing_rule
def test_the_fix_of_the_example_mends_it(name: str, tmp_path: Path) -> None:
    code = _code(name, "Example")
    offered = [f.fix for f in _findings(tmp_path, code) if f.fix is not None]
    assert any(fix.edits for fix in offered), f"no fix: {[fix.refused for fix in offered]}"
    fixed, tiers = _fixed(tmp_path, code)
    compile(fixed, "app.py", "exec")
    left = [f for f in _findings(tmp_path, fixed) if f.rule == name or f.severity is not Severity.TRACE]
    assert not left, [f"{f.span.line}: {f.rule}: {f.message}" for f in left]  # a leak that is mended may leave hygiene
    if tiers == {Safety.SAFE}:
        assert fixed == _code(name, "Use instead")


def _fixed(folder: Path, code: str) -> tuple[str, set[Safety]]:
    """The example with all fixes made, and the tiers of these fixes."""
    tiers: set[Safety] = set()
    for _ in range(PASSES):
        fix = next((f.fix for f in _findings(folder, code) if f.fix is not None and f.fix.edits), None)
        if fix is None:
            return code, tiers
        tiers.add(fix.safety)
        code = _edited(code, fix.edits)
    raise AssertionError(f"{PASSES} fixes, and still there is one")


def _edited(code: str, edits: Iterable[Edit]) -> str:
    for edit in sorted(edits, key=lambda edit: edit.start, reverse=True):
        assert code[edit.start : edit.end] == edit.expected
        code = code[: edit.start] + edit.replacement + code[edit.end :]
    return code
