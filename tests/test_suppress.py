"""Which comments silence which findings, and what is said about the comments themselves."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import fake_engine
import pytest
from click.testing import CliRunner
from fake_engine import FakeEngine, finding, span
from msgspec.structs import replace

from leaklint.cli import cli
from leaklint.finding import Confidence
from leaklint.suppress import Suppressed, suppress

TODAY = date(2026, 11, 20)
RULE = "shared-attribute-write"


def applied(text: str, line: int = 1, *, ran: bool = True, rule: str = RULE, end_line: int = 0) -> Suppressed:
    """The effect of the comments in `text` on one finding at `line` (0: no finding)."""
    findings = [finding(span=span("app.py", line, end_line=end_line), rule=rule)] if line else []
    return suppress(findings, {"app.py": text}, fake_engine.RULES, lambda *_: ran, TODAY)


def remarks(text: str, line: int = 0) -> list[tuple[str, int, str, str]]:
    found = applied(text, line).remarks
    return [(remark.rule, remark.span.line, remark.message, remark.help) for remark in found]


SILENCED = {
    "at the end of the line": (f"x = 1  # leaklint: ignore[{RULE}] reason\n", 1),
    "without a reason": (f"x = 1  # leaklint: ignore[{RULE}]\n", 1),
    "on the line above": (f"# leaklint: ignore[{RULE}]\nx = 1\n", 2),
    "above, with more comment between": (f"# leaklint: ignore[{RULE}]\n# because\nx = 1\n", 3),
    "after another tool's comment": (f"x = 1  # type: ignore[attr]  # leaklint: ignore[{RULE}] reason\n", 1),
    "on the first line of the statement": (f"f(  # leaklint: ignore[{RULE}]\n    a,\n    b)\n", 3),
    "on the last line of the statement": (f"f(\n    a,\n    b)  # leaklint: ignore[{RULE}]\n", 1),
    "inside of the statement": (f"f(\n    # leaklint: ignore[{RULE}]\n    a,\n    b)\n", 1),
    "above a statement of several lines": (f"# leaklint: ignore[{RULE}]\nf(\n    a,\n    b)\n", 3),
    "one of several names": (f"x = 1  # leaklint: ignore[id-not-passed, {RULE}]\n", 1),
    "until a day to come": (f"x = 1  # leaklint: ignore[{RULE}, until=2027-01-31] reason\n", 1),
    "until today, which counts": (f"x = 1  # leaklint: ignore[{RULE}, until=2026-11-20]\n", 1),
    "in a loose hand": (f"x = 1  #leaklint:Ignore [ {RULE} ]reason\n", 1),
    "with CRLF": (f"y = 1\r\nx = 1  # leaklint: ignore[{RULE}]\r\n", 2),
    "with a lone CR": (f"y = 1\rx = 1  # leaklint: ignore[{RULE}]\r", 2),
    "after a form feed": (f"y = 1\n\x0cx = 1  # leaklint: ignore[{RULE}]\n", 2),
    "without a line end": (f"x = 1  # leaklint: ignore[{RULE}]", 1),
    "above, indented": (f"def f():\n    # leaklint: ignore[{RULE}]\n    x = 1\n", 3),
    "above, as the first line of a block": (f"def f():\n  # leaklint: ignore[{RULE}]\n    x = 1\n", 3),
}


@pytest.mark.parametrize(("text", "line"), SILENCED.values(), ids=SILENCED.keys())
def test_a_comment_silences(text: str, line: int) -> None:
    result = applied(text, line)
    assert len(result.silenced) == 1
    assert result.kept == ()
    assert [remark for remark in result.remarks if RULE in remark.message] == []


NOT_SILENCED = {
    "for another rule": ("x = 1  # leaklint: ignore[id-not-passed]\n", 1),
    "after a blank line": (f"# leaklint: ignore[{RULE}]\n\nx = 1\n", 3),
    "on the line below": (f"x = 1\n# leaklint: ignore[{RULE}]\n", 1),
    "at the end of the statement above": (f"y = 1  # leaklint: ignore[{RULE}]\nx = 1\n", 2),
    "at the end of the statement below": (f"x = 1\ny = 1  # leaklint: ignore[{RULE}]\n", 1),
    "without a name": ("x = 1  # leaklint: ignore\n", 1),
    "with empty brackets": ("x = 1  # leaklint: ignore[]\n", 1),
    "with a star": ("x = 1  # leaklint: ignore[*]\n", 1),
    "with a family": ("x = 1  # leaklint: ignore[shared-state]\n", 1),
    "with half a name": ("x = 1  # leaklint: ignore[shared-attribute]\n", 1),
    "with an open bracket": (f"x = 1  # leaklint: ignore[{RULE}\n", 1),
    "until yesterday": (f"x = 1  # leaklint: ignore[{RULE}, until=2026-11-19]\n", 1),
    "until a day that is none": (f"x = 1  # leaklint: ignore[{RULE}, until=2026-02-30]\n", 1),
    "until nothing": (f"x = 1  # leaklint: ignore[{RULE}, until]\n", 1),
    "in a string": (f"x = '# leaklint: ignore[{RULE}]'\n", 1),
    "in a docstring": (f'"""\n# leaklint: ignore[{RULE}]\n"""\nx = 1\n', 4),
    "with a typing slip": (f"x = 1  # leaklint: ingore[{RULE}]\n", 1),
    "in the words of another tool": (f"x = 1  # noqa: ignore[{RULE}]\n", 1),
}


@pytest.mark.parametrize(("text", "line"), NOT_SILENCED.values(), ids=NOT_SILENCED.keys())
def test_a_comment_does_not_silence(text: str, line: int) -> None:
    result = applied(text, line)
    assert len(result.kept) == 1
    assert result.silenced == ()


def test_a_finding_over_several_statements_is_silenced_on_any_of_its_lines() -> None:
    text = f"def f():\n    a = 1\n    b = 2  # leaklint: ignore[{RULE}]\n"
    assert len(applied(text, 1, end_line=3).silenced) == 1


def test_a_comment_counts_in_syntax_that_this_python_cannot_read() -> None:
    text = f"x = '''\ny = 1  # leaklint: ignore[{RULE}]\n# leaklint: ignore[{RULE}]\nz = 1\n"
    assert len(applied(text, 2).silenced) == 1
    assert len(applied(text, 4).silenced) == 1


def test_unused_unknown_and_expired_comments_are_reported() -> None:
    assert remarks(f"x = 1  # leaklint: ignore[{RULE}] reason\n") == [
        ("unused-suppression", 1, f"`ignore[{RULE}]` silences nothing", "remove it")
    ]
    assert remarks("x = 1  # leaklint: ignore[shared-atribute-write]\n") == [
        ("unknown-suppression", 1, "no rule is called `shared-atribute-write`", f"did you mean `{RULE}`?")
    ]
    assert remarks("x = 1  # leaklint: ingore[id-not-passed]\n") == [
        ("unknown-suppression", 1, "unknown directive `ingore`", "did you mean `ignore`?")
    ]
    assert remarks("x = 1  # leaklint: ignore\n") == [
        (
            "unknown-suppression",
            1,
            "`ignore` names no rule and silences nothing",
            "write `# leaklint: ignore[rule] reason`",
        )
    ]
    assert remarks("x = 1  # leaklint: ignore[unused-suppression]\n")[0][0] == "unknown-suppression"
    assert remarks("x = 1  # leaklint: ignore[shared-state]\n")[0][3] == "that is a family: name its rules one by one"
    [(rule, line, message, _)] = remarks(f"\nx = 1  # leaklint: ignore[{RULE}, until=2026-01-31]\n", line=2)
    assert (rule, line, message) == ("expired-suppression", 2, "this suppression ended on `2026-01-31`")


def test_one_unused_name_of_two_is_told_by_itself() -> None:
    found = remarks(f"x = 1  # leaklint: ignore[{RULE}, id-not-passed]\n", line=1)
    assert [message for _, _, message, _ in found] == ["`ignore[id-not-passed]` silences nothing"]


@pytest.mark.parametrize(
    "text", ["# leaklint: see the handbook\n", "# we use leaklint: it is good\n", "leaklint: int\n"]
)
def test_prose_is_not_a_directive(text: str) -> None:
    assert remarks(text) == []


def test_a_rule_that_did_not_run_leaves_no_comment_unused() -> None:
    assert applied(f"x = 1  # leaklint: ignore[{RULE}]\n", 0, ran=False).remarks == ()
    assert applied("x = []  # leaklint: shared\n", 0, ran=False).remarks == ()


SHARED = "cache = {}  # leaklint: shared by design\n\ndef handler(user):\n    cache[1] = user\n    cache[2] = user\n"


def test_shared_silences_every_writer_of_the_object() -> None:
    one = finding(span=span("app.py", 4), declared=(span("app.py", 1),))
    other = finding(span=span("other.py", 9), declared=(span("other.py", 3), span("app.py", 1)))
    third = finding(span=span("app.py", 5), declared=())
    result = suppress(
        [one, other, third], {"app.py": SHARED, "other.py": ""}, fake_engine.RULES, lambda *_: True, TODAY
    )
    assert result == Suppressed((third,), (one, other), ())


def test_shared_at_nothing_that_is_shared_is_reported() -> None:
    [remark] = applied(SHARED, 0).remarks
    assert (remark.rule, remark.span) == ("unused-suppression", span("app.py", 1, 13, 41))
    assert applied("x = 1  # leaklint: shared\n", 1).kept  # it says nothing about a writer's line


# --- through the command line ---


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> FakeEngine:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "leaklint.toml").touch()
    return fake_engine.install(monkeypatch)


def shown(*arguments: str) -> list[str]:
    output = CliRunner().invoke(cli, ["check", "--output-format", "concise", "-q", *arguments]).stdout
    return [line.partition("[")[2].partition("]")[0] for line in output.splitlines()]


def test_suppressed_findings_are_counted_and_do_not_fail(engine: FakeEngine) -> None:
    Path("app.py").write_text(f"x = 1  # leaklint: ignore[{RULE}] reason\n")
    engine.findings = (finding(),)
    result = CliRunner().invoke(cli, ["check"])
    assert (result.exit_code, result.stdout) == (0, "0 findings; 1 file checked (1 suppressed)\n")


def test_a_comment_on_a_finding_that_is_not_shown_is_used(engine: FakeEngine) -> None:
    Path("app.py").write_text(f"x = 1  # leaklint: ignore[{RULE}] reason\n")
    engine.findings = (replace(finding(), confidence=Confidence.LOW),)
    result = CliRunner().invoke(cli, ["check"])
    assert (result.exit_code, result.stdout) == (0, "0 findings; 1 file checked\n")


def test_remarks_are_judged_for_the_rules_that_ran_only(engine: FakeEngine) -> None:
    Path("app.py").write_text(f"x = 1  # leaklint: ignore[{RULE}]\ny = 1  # leaklint: shared\n")
    assert shown() == ["unused-suppression", "unused-suppression"]
    assert shown("--select", "races,suppression") == []
    assert shown("--select", "shared-state,suppression") == ["unused-suppression"]
    assert shown("--ignore", "shared-state") == []
    assert shown("--ignore", "unused-suppression") == []
    assert shown("--select", RULE) == []  # the remarks were not selected
    Path("leaklint.toml").write_text(f'per-file-ignores = {{ "app.py" = ["{RULE}"] }}\n')
    assert shown() == []


def test_remarks_outside_of_the_paths_are_not_shown(engine: FakeEngine) -> None:
    Path("app.py").write_text(f"x = 1  # leaklint: ignore[{RULE}]\n")
    Path("other.py").touch()
    assert shown("other.py") == []
    assert shown("app.py") == ["unused-suppression"]


def test_comments_in_tests_that_are_not_judged_are_not_unused(engine: FakeEngine) -> None:
    Path("test_app.py").write_text(f"x = 1  # leaklint: ignore[{RULE}]\n")
    assert shown() == []
    Path("leaklint.toml").write_text('tests = "check"\n')
    assert shown() == ["unused-suppression"]
