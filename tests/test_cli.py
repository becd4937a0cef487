"""What a user meets on the command line: verbs, paths, selection, exit codes, colours, mistakes."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import fake_engine
import pytest
from click.testing import CliRunner, Result
from fake_engine import FakeEngine, finding, span, write
from msgspec.structs import replace

from leaklint.cli import cli
from leaklint.config import KEYS
from leaklint.errors import UserError
from leaklint.finding import Confidence, Problem, Step, StepRole
from leaklint.fix import Answer
from leaklint.progress import Meter


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> FakeEngine:
    return fake_engine.install(monkeypatch)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with a configuration, as the working directory."""
    monkeypatch.chdir(tmp_path)
    for name in ("NO_COLOR", "FORCE_COLOR", "LEAKLINT_DEBUG"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "leaklint.toml").write_text('exclude = ["fixtures"]\n')
    write(tmp_path, app="value = 1\nother = 2\n", web__views="value = 1\n")
    return tmp_path


def leaklint(*arguments: str, input: str = "") -> Result:
    return CliRunner().invoke(cli, list(arguments), prog_name="leaklint", input=input)


# --- exit codes ---


def test_clean_is_0(engine: FakeEngine, project: Path) -> None:
    result = leaklint("check")
    assert (result.exit_code, result.stdout) == (0, "0 findings; 2 files checked\n")


def test_findings_are_1_unless_told_otherwise(engine: FakeEngine, project: Path) -> None:
    engine.findings = (finding(),)
    assert leaklint("check").exit_code == 1
    assert leaklint("check", "--exit-zero").exit_code == 0


@pytest.mark.parametrize(
    ("rule", "level", "code"),
    [
        ("shared-attribute-write", "leak", 1),
        ("check-then-act", "leak", 0),
        ("check-then-act", "race", 1),
        ("id-not-passed", "race", 0),
        ("id-not-passed", "trace", 1),
    ],
)
def test_the_failing_level_is_the_least_severity_that_fails(
    engine: FakeEngine, project: Path, rule: str, level: str, code: int
) -> None:
    engine.findings = (finding(rule=rule),)
    result = leaklint("check", "--fail-level", level)
    assert result.exit_code == code
    assert rule in result.stdout


def test_what_could_not_be_checked_is_3_and_findings_are_still_shown(engine: FakeEngine, project: Path) -> None:
    engine.findings = (finding(),)
    engine.problems = (Problem("web/views.py", "invalid syntax", "mend it", line=3, column=7),)
    result = leaklint("check", "--exit-zero", "--output-format", "concise")
    assert result.exit_code == 3
    assert result.stdout.splitlines() == [
        "app.py:1:1: leak[shared-attribute-write] every request shares `x`",
        "error: web/views.py:3:7: invalid syntax",
        "  hint: mend it",
        "1 finding: 1 leak; 2 files checked (1 could not be checked)",
        "next: `leaklint explain shared-attribute-write`",
    ]


def test_an_internal_error_is_4_and_says_where(engine: FakeEngine, project: Path) -> None:
    engine.error = RecursionError("too deep")
    result = leaklint("check")
    assert result.exit_code == 4
    assert "error: internal error: RecursionError: too deep at fake_engine.py:" in result.stdout
    assert "Traceback" not in result.output


def test_an_internal_error_outweighs_an_unreadable_file(engine: FakeEngine, project: Path) -> None:
    engine.problems = (Problem("app.py", "rule crashed", internal=True), Problem("web/views.py", "invalid syntax"))
    assert leaklint("check").exit_code == 4


def test_an_error_outside_of_the_analysis_is_4_too(
    engine: FakeEngine, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("leaklint.run.suppress", lambda *_: 1 / 0)
    result = leaklint("check")
    assert result.exit_code == 4
    assert result.stderr.startswith("error: internal error: ZeroDivisionError")


def test_a_mistake_that_the_analysis_meets_is_still_the_users(engine: FakeEngine, project: Path) -> None:
    engine.error = UserError("models/own.toml: unknown key `entri`", "did you mean `entry`?")
    result = leaklint("check")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == "error: models/own.toml: unknown key `entri`\n  hint: did you mean `entry`?\n"


def test_an_interrupt_is_130_on_one_line(engine: FakeEngine, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("leaklint.run.suppress", interrupted)
    result = leaklint("check")
    assert result.exit_code == 130
    assert result.stderr.strip() == "error: interrupted"


@pytest.mark.parametrize(
    ("arguments", "message", "hint"),
    [
        (["chek"], "no such command: chek", "did you mean `check`?"),
        (["check", "--selct", "x"], "no such option: --selct", "did you mean `--select`?"),
        (
            ["check", "--select", "shared-atribute-write"],
            "--select: unknown rule or family",
            "`shared-attribute-write`",
        ),
        (["check", "--ignore", "shared-stat"], "--ignore: unknown rule or family", "`shared-state`"),
        (["check", "--output-format", "jsn"], "unknown output format `jsn`", "did you mean `json`?"),
        (["check", "--output-format", "json:"], "no file after `json:`", "json:FILE"),
        (["check", "--output-format", "json", "--output-format", "full"], "two output formats want", "json:FILE"),
        (["check", "--min-confidence", "hihg"], "'hihg' is not one of", "--help"),
        (["check", "-"], "-: standard input is not read", "files or folders"),
        (["check", "nowhere"], "nowhere: no such file or folder", "spelling"),
        (["check", "--config", "nowhere.toml"], "nowhere.toml: no such configuration file", "--config"),
        (["fix", "nowhere.py"], "nowhere.py: no such file or folder", "spelling"),
        (["explain", "shared-atribute-write"], "unknown rule `shared-atribute-write`", "`shared-attribute-write`"),
        (["explain", "unused-suppression"], "has no page", "README"),
        (["check", "--output-format", "json:no/such/folder"], "no/such/folder: cannot be written", "folder"),
    ],
)
def test_a_mistake_is_2_with_one_line_and_a_hint(
    engine: FakeEngine, project: Path, arguments: list[str], message: str, hint: str
) -> None:
    result = leaklint(*arguments)
    assert result.exit_code == 2
    first, second = result.stderr.splitlines()
    assert first.startswith("error: ")
    assert message in first
    assert second.startswith("  hint: ")
    assert hint in second
    assert result.stdout == ""


def test_no_command_shows_the_help_and_is_2(project: Path) -> None:
    result = leaklint()
    assert result.exit_code == 2
    assert "Commands:" in result.stderr


@pytest.mark.parametrize("verb", ["check", "fix", "explain", "rules", "config"])
def test_every_verb_has_help(verb: str) -> None:
    result = leaklint(verb, "--help")
    assert result.exit_code == 0
    assert result.stdout.startswith(f"Usage: leaklint {verb}")


# --- what is analysed and what is reported ---


def test_paths_filter_what_is_reported_and_the_project_is_analysed(engine: FakeEngine, project: Path) -> None:
    engine.findings = (finding("app.py"), finding("web/views.py"))
    result = leaklint("check", "web", "--output-format", "concise")
    assert engine.programs == [["app.py", "web/views.py"]]
    assert result.stdout.startswith("web/views.py:1:1:")
    assert "app.py" not in result.stdout


def test_a_finding_is_reported_when_its_trace_touches_a_path(engine: FakeEngine, project: Path) -> None:
    step = Step(StepRole.ENTRY, span("web/views.py", 1), "request handler")
    engine.findings = (finding("app.py", trace=(step,)), finding("app.py", 2))
    result = leaklint("check", "web/views.py", "--output-format", "concise")
    assert result.stdout.count("leak[") == 1
    assert "app.py:1:1" in result.stdout


def test_the_root_is_found_above_the_path_and_paths_are_shown_from_here(
    engine: FakeEngine, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine.findings = (finding("app.py"), finding("web/views.py"))
    monkeypatch.chdir(project / "web")
    result = leaklint("check", "--output-format", "concise")
    assert engine.programs == [["app.py", "web/views.py"]]
    assert [line.split(" ")[0] for line in result.stdout.splitlines()[:2]] == ["../app.py:1:1:", "views.py:1:1:"]


def test_the_git_root_is_the_project_without_a_configuration(
    engine: FakeEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".git").mkdir()
    write(tmp_path, a="", b__c="")
    monkeypatch.chdir(tmp_path)
    leaklint("check", "b")
    assert engine.programs == [["a.py", "b/c.py"]]


def test_a_folder_without_configuration_and_repository_is_the_project(engine: FakeEngine, tmp_path: Path) -> None:
    write(tmp_path, a="", b__c="", b__d="")
    leaklint("check", str(tmp_path / "b"))
    leaklint("check", str(tmp_path / "b/c.py"))
    assert engine.programs == [["c.py", "d.py"], ["c.py", "d.py"]]


def test_a_named_folder_that_is_excluded_is_a_program_of_its_own(engine: FakeEngine, project: Path) -> None:
    write(project, fixtures__apps__shop="", fixtures__apps__node_modules__x="")
    engine.findings = (finding("fixtures/apps/shop.py"), finding("app.py"))
    result = leaklint("check", "fixtures/apps", "--output-format", "concise")
    assert engine.programs == [["fixtures/apps/shop.py"]]
    assert result.stdout.splitlines()[0].startswith("fixtures/apps/shop.py:1:1:")
    assert "\napp.py" not in result.stdout


def test_a_named_file_that_is_excluded_is_analysed_with_its_folder(engine: FakeEngine, project: Path) -> None:
    write(project, fixtures__a="", fixtures__b="")
    engine.findings = (finding("fixtures/a.py"), finding("fixtures/b.py"))
    result = leaklint("check", "fixtures/a.py", "--output-format", "concise")
    assert engine.programs == [["fixtures/a.py", "fixtures/b.py"]]
    assert result.stdout.count("leak[") == 1


def test_a_path_outside_of_the_project_is_a_program_of_its_own(
    engine: FakeEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, shop__src__a="", other__b="")
    (tmp_path / "shop/leaklint.toml").write_text('src = ["src"]\nper-file-ignores = {"src/**" = ["id-not-passed"]}\n')
    monkeypatch.chdir(tmp_path / "shop")
    engine.findings = (finding("other/b.py"), finding("shop/src/a.py"), finding("shop/src/a.py", rule="id-not-passed"))
    result = leaklint("check", ".", "../other", "--output-format", "concise")
    assert engine.programs == [["shop/src/a.py"], ["other/b.py"]]
    assert engine.configs[0].src == ("shop/src",)
    assert [line.split(" ")[0] for line in result.stdout.splitlines()[:2]] == ["../other/b.py:1:1:", "src/a.py:1:1:"]
    assert "id-not-passed" not in result.stdout


def test_one_finding_of_two_overlapping_programs_is_told_once(engine: FakeEngine, project: Path) -> None:
    write(project, fixtures__a="")
    engine.findings = (finding("fixtures/a.py"),)
    result = leaklint("check", "fixtures", "fixtures/a.py", "--output-format", "concise")
    assert engine.programs == [["fixtures/a.py"]]
    assert result.stdout.count("leak[") == 1


# --- selection ---


def test_rules_and_families_are_selected_and_ignored(engine: FakeEngine, project: Path) -> None:
    engine.findings = tuple(finding(rule=rule) for rule in fake_engine.RULES)

    def shown(*arguments: str) -> set[str]:
        report = json.loads(leaklint("check", "--output-format", "json", *arguments).stdout)
        return {item["rule"] for item in report["findings"]}

    assert shown("--select", "races") == {"check-then-act"}
    assert shown("--select", "races,id-not-passed") == {"check-then-act", "id-not-passed"}
    assert shown("--ignore", "shared-state") == {"check-then-act", "id-not-passed"}
    assert shown("--select", "shared-state", "--ignore", "shared-container-write") == {"shared-attribute-write"}
    (project / "leaklint.toml").write_text('ignore = ["shared-state"]\nselect = ["shared-container-write", "races"]\n')
    assert shown() == {"shared-container-write", "check-then-act"}
    assert shown("--select", "shared-attribute-write") == {"shared-attribute-write"}


def test_low_confidence_is_shown_on_request(engine: FakeEngine, project: Path) -> None:
    engine.findings = (finding(confidence=Confidence.LOW), finding(line=2, confidence=Confidence.MEDIUM))
    assert "app.py:1:1" not in leaklint("check").stdout
    assert "app.py:1:1" in leaklint("check", "--min-confidence", "low").stdout
    assert leaklint("check", "--min-confidence", "high").exit_code == 0


# --- output ---


def test_several_formats_in_one_run(engine: FakeEngine, project: Path) -> None:
    engine.findings = (finding(),)
    result = leaklint("check", "--color", "--output-format", "json:out.json", "--output-format", "concise")
    assert json.loads((project / "out.json").read_text())["findings"][0]["path"] == "app.py"
    assert "\x1b[" in result.stdout
    leaklint("check", "--color", "--output-format", "full:out.txt", "--output-format", "concise")
    assert "\x1b[" not in (project / "out.txt").read_text()
    assert engine.programs == [["app.py", "web/views.py"]] * 2


def test_every_failure_is_inside_of_json(engine: FakeEngine, project: Path) -> None:
    (project / "leaklint.toml").write_text("exclud = []\n")
    result = leaklint("check", "--output-format", "json")
    assert result.exit_code == 2
    report = json.loads(result.stdout)
    assert report["findings"] == []
    assert "unknown key `exclud`" in report["errors"][0]["message"]
    assert report["errors"][0]["hint"] == "did you mean `exclude`?"


def test_colours_follow_the_terminal_the_environment_and_the_flag(
    engine: FakeEngine, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine.findings = (finding(),)

    def coloured(*arguments: str) -> bool:
        return "\x1b[" in CliRunner().invoke(cli, ["check", *arguments], color=True).stdout

    assert not coloured()  # no terminal
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert coloured()
    monkeypatch.setenv("NO_COLOR", "1")
    assert not coloured()
    assert coloured("--color")
    monkeypatch.delenv("NO_COLOR")
    assert not coloured("--no-color")


def test_quiet_and_verbose(engine: FakeEngine, project: Path) -> None:
    assert leaklint("check", "-q").output == ""
    result = leaklint("check", "-v")
    assert result.stderr.splitlines() == [
        f"project root: {project}",
        f"configuration: {project / 'leaklint.toml'}",
        "files analysed: 2",
        "model: model2, 2 entry points",
    ]


def test_statistics_are_shown_on_request(engine: FakeEngine, project: Path) -> None:
    engine.findings = (finding(),)
    lines = [line.split() for line in leaklint("check", "--statistics").stdout.splitlines()]
    assert ["entry", "points", "1"] in lines
    assert ["seconds", "index", "0.250"] in lines
    assert ["models", "model1", "2"] in lines
    assert ["shared-attribute-write", "1"] in lines


def test_statistics_of_two_programs_are_added_up(engine: FakeEngine, project: Path) -> None:
    write(project, fixtures__a="", other__fixtures__b="")
    report = json.loads(leaklint("check", "fixtures", "other/fixtures", ".", "--output-format", "json").stdout)
    assert report["statistics"] == {
        "files": 4,
        "entry_points": 3,
        "seconds": {"index": 0.75},
        "models": {"model1": 2, "model2": 2, "model3": 2},
        "findings": 0,
        "suppressed": 0,
    }


def test_no_entry_point_is_said(engine: FakeEngine, project: Path) -> None:
    engine.entry_points = 0
    assert "no entry point of a known framework was found" in leaklint("check").stdout


def test_progress_is_silent_at_first_and_leaves_nothing_behind() -> None:
    now = [0.0]
    stream = io.StringIO()
    with Meter(stream, clock=lambda: now[0]) as meter:
        meter("indexing", 1, 9)
        assert stream.getvalue() == ""
        now[0] = 1.5
        meter("indexing \x1b[31ma.py", 2, 9)
        meter("indexing b.py", 3, 9)  # too soon for another line
        assert stream.getvalue() == "\r\x1b[Kindexing ?[31ma.py 2/9"
    assert stream.getvalue().endswith("\r\x1b[K")


@pytest.mark.parametrize(("arguments", "shown"), [((), True), (("--no-progress",), False), (("-q",), False)])
def test_progress_is_shown_on_a_terminal_only(
    engine: FakeEngine, project: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], shown: bool
) -> None:
    monkeypatch.setattr("leaklint.progress._FIRST", 0.0)
    monkeypatch.setattr("leaklint.progress._EVERY", 0.0)
    assert "judging" not in leaklint("check", *arguments).stderr
    monkeypatch.setattr("leaklint.cli._is_terminal", lambda stream: True)
    assert ("judging 2/2" in leaklint("check", "--no-color", *arguments).stderr) == shown


# --- the other verbs ---


def outcome(**more: object) -> SimpleNamespace:
    values = {"diff": "", "changed": (), "fixed": (), "left": (), "problems": ()}
    return SimpleNamespace(**{**values, **more})


def test_fix_shows_a_diff_and_passes_the_options_on(
    engine: FakeEngine, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: dict[str, object] = {}

    def fake_fix(*arguments: object, **options: object) -> SimpleNamespace:
        given.update(options, arguments=arguments)
        left = replace(finding(line=2), message="m")
        return outcome(diff="--- a\n+++ b\n+x\r\n", changed=("app.py",), fixed=(finding(),), left=((left, "escapes"),))

    fake_engine.replaced(monkeypatch, "fix", fix=fake_fix)
    result = leaklint("fix", "app.py", "--select", "shared-attribute-write", "--unsafe-fixes")
    assert given.pop("arguments")[0] == project
    assert given.pop("progress")
    assert isinstance(given.pop("jobs"), int)
    assert given == {"cache": None, "unsafe": True, "select": ("shared-attribute-write",), "apply": False, "ask": None}
    assert result.exit_code == 1
    assert result.stdout_bytes.decode() == (
        "--- a\n+++ b\n+x\r\ncan be mended: app.py:1:1: shared-attribute-write\n"
        "left: app.py:2:1: shared-attribute-write: escapes\n"
        "1 can be mended in 1 file, 1 left\nnext: add `--apply` to write the changes\n"
    )


def test_fix_succeeds_when_nothing_is_left(engine: FakeEngine, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_engine.replaced(
        monkeypatch, "fix", fix=lambda *_, **__: outcome(diff="+x\n", changed=("app.py",), fixed=(finding(),))
    )
    assert leaklint("fix").exit_code == 1  # shown, not written
    result = leaklint("fix", "--apply")
    assert result.exit_code == 0
    assert result.stdout == "mended: app.py:1:1: shared-attribute-write\n1 mended in 1 file, 0 left\n"


def test_diff_is_what_fix_does_anyway(engine: FakeEngine, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[object] = []

    def fake_fix(*_: object, **options: object) -> SimpleNamespace:
        given.append(options["apply"])
        return outcome(diff="+x\n")

    fake_engine.replaced(monkeypatch, "fix", fix=fake_fix)
    assert leaklint("fix", "--diff").stdout == leaklint("fix").stdout
    assert given == [False, False]
    result = leaklint("fix", "--diff", "--apply")
    assert (result.exit_code, "--diff and --apply cannot go together" in result.stderr) == (2, True)


@pytest.mark.parametrize(
    ("typed", "answers"),
    [
        ("y\nno\nALL\n", ["YES", "NO", "ALL"]),
        ("what\n\nq\ny\ny\n", ["QUIT", "YES", "YES"]),
        ("", ["QUIT", "QUIT", "QUIT"]),
    ],
)
@pytest.mark.parametrize("options", [(), ("--diff",)])
def test_interactive_asks_about_each_fix(
    engine: FakeEngine,
    project: Path,
    monkeypatch: pytest.MonkeyPatch,
    typed: str,
    answers: list[str],
    options: tuple[str, ...],
) -> None:
    said: list[str] = []

    def fake_fix(*_: object, apply: bool, ask: Callable[..., Answer], **__: object) -> SimpleNamespace:
        said.extend(ask(replace(finding(), message="kept"), "+x\n").name for _ in range(3))
        assert apply is not bool(options)
        return outcome()

    fake_engine.replaced(monkeypatch, "fix", fix=fake_fix, Answer=Answer)
    result = leaklint("fix", "--interactive", *options, input=typed)
    assert said == answers
    assert result.stdout.startswith("app.py:1:1: shared-attribute-write: kept\n+x\nmend it")


def test_fix_tells_what_could_not_be_checked(
    engine: FakeEngine, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    problem = Problem("app.py", "has changed meanwhile", "run it again")
    fake_engine.replaced(monkeypatch, "fix", fix=lambda *_, **__: outcome(problems=(problem,)))
    result = leaklint("fix", "--apply")
    assert result.exit_code == 3
    assert result.stdout.startswith("error: app.py: has changed meanwhile\n  hint: run it again\n")


def test_explain_is_for_reading_and_for_machines(engine: FakeEngine, project: Path) -> None:
    text = leaklint("explain", "shared-attribute-write").stdout
    assert text.splitlines()[:5] == [
        "shared-attribute-write",
        "",
        "finds what `shared-attribute-write` finds",
        "",
        "severity: leak · family: shared-state · fix: suggested · CWE-488, CWE-567",
    ]
    assert "\nWhat it does\n" in text
    assert "\n        # a comment, not a heading\n\n        holder = {}\n" in text
    assert "\x1b[" not in text
    assert "\x1b[" in leaklint("explain", "shared-attribute-write", "--color").stdout
    markdown = leaklint("explain", "shared-attribute-write", "--output-format", "markdown").stdout
    assert "## What it does\n\nIt finds it.\n\n## Example\n\n```python\nclass Agent:" in markdown
    page = json.loads(leaklint("explain", "shared-attribute-write", "--output-format", "json").stdout)
    assert page["severity"] == "leak"
    assert page["sections"]["What it does"] == "It finds it."


def test_rules_are_listed_by_family(engine: FakeEngine, project: Path) -> None:
    listed = leaklint("rules").stdout.splitlines()
    assert [line.split()[:4] for line in listed] == [
        ["id-not-passed", "trace", "safe", "propagation"],
        ["check-then-act", "race", "none", "races"],
        ["shared-attribute-write", "leak", "suggested", "shared-state"],
        ["shared-container-write", "leak", "suggested", "shared-state"],
    ]
    rows = json.loads(leaklint("rules", "--output-format", "json").stdout)
    assert rows[0] == {
        "name": "id-not-passed",
        "family": "propagation",
        "severity": "trace",
        "fix": "safe",
        "cwe": [488, 567],
        "summary": "finds what `id-not-passed` finds",
    }
    assert "| `check-then-act` | race | none | races |" in leaklint("rules", "--output-format", "markdown").stdout


def test_config_shows_what_is_in_force(engine: FakeEngine, project: Path) -> None:
    lines = leaklint("config", "--show").stdout.splitlines()
    assert lines[:2] == [f"project root: {project}", f"configuration: {project / 'leaklint.toml'}"]
    assert 'exclude = ["fixtures"]' in lines
    assert 'min-confidence = "medium"' in lines
    assert lines[-3:] == ["files: 2", "  .  1", "  web/  1"]


def test_config_shows_every_key(engine: FakeEngine, project: Path) -> None:
    shown = {line.partition(" = ")[0] for line in leaklint("config", "--show").stdout.splitlines() if " = " in line}
    assert set(KEYS) <= shown | {"extend-exclude"}


# --- as a process of its own ---


def piped(command: str, folder: Path) -> tuple[int, str]:
    """The exit code and stderr of a command whose reader has gone away."""
    script = f"{command} | true; exit ${{PIPESTATUS[0]}}"
    result = subprocess.run(["bash", "-c", script], cwd=folder, capture_output=True, text=True, check=False)
    return result.returncode, result.stderr


def test_a_reader_that_goes_away_is_silent(tmp_path: Path) -> None:
    write(tmp_path, app="x\n" * 5000)
    (tmp_path / "run.py").write_text(
        f"import sys, time; sys.path.insert(0, {str(Path(__file__).parent)!r})\n"
        "import fake_engine, pytest\nfrom leaklint.cli import main\n"
        "engine = fake_engine.install(pytest.MonkeyPatch())\n"
        "engine.findings = tuple(fake_engine.finding(line=n) for n in range(1, 5000))\n"
        "time.sleep(0.2)\nmain()\n"
    )
    assert piped(f"{sys.executable} -m leaklint --help", tmp_path)[1] == ""
    assert piped(f"{sys.executable} run.py check app.py", tmp_path) == (1, "")


def test_the_version_imports_neither_the_analysis_nor_libcst() -> None:
    code = (
        "import sys\nfrom leaklint.cli import cli\n"
        "try:\n    cli(['--version'])\nexcept SystemExit as end:\n    code = end.code\n"
        "print(sorted({'libcst', 'tomllib', 'difflib', 'leaklint.run', 'leaklint.render'} & set(sys.modules)), code)"
    )
    output = subprocess.check_output([sys.executable, "-c", code], text=True)
    assert output.splitlines()[1:] == ["[] 0"]
    assert output.startswith("leaklint ")
