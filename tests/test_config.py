"""Where the project begins, what its configuration says, and how a mistake in it is told."""

from __future__ import annotations

from pathlib import Path

import fake_engine
import pytest
from click.testing import CliRunner

from leaklint.cli import cli
from leaklint.config import Config, discover, enabled, with_overrides
from leaklint.errors import UserError
from leaklint.finding import Confidence, Family, Severity

EVERY_KEY = """
include = ["src/**"]
exclude = ["src/old"]
extend-exclude = ["src/gen"]
select = ["shared-state", "id-not-passed"]
ignore = ["shared-container-write"]
min-confidence = "low"
fail-level = "leak"
ids = ["tenant_key"]
models = ["models/own.toml"]
src = ["src", "lib/"]
tests = "check"

[per-file-ignores]
"legacy/**" = ["races"]
"""


@pytest.fixture(autouse=True)
def rules(monkeypatch: pytest.MonkeyPatch) -> None:
    fake_engine.install(monkeypatch)


def config(root: Path, text: str, name: str = "leaklint.toml") -> Config:
    (root / name).write_text(text)
    return discover([root])


def mistake(root: Path, text: str, name: str = "leaklint.toml") -> tuple[str, str]:
    """The message, without the folder, and the hint."""
    with pytest.raises(UserError) as caught:
        config(root, text, name)
    return caught.value.message.replace(f"{root}/", ""), caught.value.hint


def test_every_key_is_read(tmp_path: Path) -> None:
    for folder in ("src", "lib", "models"):
        (tmp_path / folder).mkdir()
    (tmp_path / "models/own.toml").touch()
    assert config(tmp_path, EVERY_KEY) == Config(
        root=tmp_path,
        file=tmp_path / "leaklint.toml",
        include=("src/**",),
        exclude=("src/old", "src/gen"),
        select=("shared-state", "id-not-passed"),
        ignore=("shared-container-write",),
        min_confidence=Confidence.LOW,
        fail_level=Severity.LEAK,
        ids=("tenant_key",),
        models=(tmp_path / "models/own.toml",),
        src=("src", "lib"),
        per_file_ignores=(("legacy/**", ("races",)),),
        check_tests=True,
    )


def test_a_table_in_pyproject_counts(tmp_path: Path) -> None:
    text = '[project]\nname = "x"\n[tool.leaklint]\nids = ["a"]\n[tool.leaklint.per-file-ignores]\n"a.py" = ["races"]\n'
    read = config(tmp_path, text, "pyproject.toml")
    assert (read.ids, read.per_file_ignores) == (("a",), (("a.py", ("races",)),))


def test_the_nearest_configuration_decides_and_pyproject_needs_the_table(tmp_path: Path) -> None:
    inner = tmp_path / "service/app"
    inner.mkdir(parents=True)
    (tmp_path / "leaklint.toml").touch()
    (tmp_path / "service/pyproject.toml").write_text("[tool.ruff]\n")
    assert discover([inner]).root == tmp_path
    (tmp_path / "service/pyproject.toml").write_text("[tool.leaklint]\n")
    assert discover([inner]).root == tmp_path / "service"
    (tmp_path / "service/leaklint.toml").touch()
    assert discover([inner]).file == tmp_path / "service/leaklint.toml"


def test_isolated_reads_nothing_and_config_names_the_file(tmp_path: Path) -> None:
    (tmp_path / "leaklint.toml").write_text('ids = ["a"]\n')
    (tmp_path / "other").mkdir()
    (tmp_path / "other/own.toml").write_text('ids = ["b"]\n')
    assert discover([tmp_path], isolated=True) == Config(root=tmp_path)
    read = discover([tmp_path], file=tmp_path / "other/own.toml")
    assert (read.ids, read.root) == (("b",), tmp_path / "other")


MISTAKES = {
    "an unknown key": ("\nexclud = []\n", "leaklint.toml:2: unknown key `exclud`", "did you mean `exclude`?"),
    "an unknown table": ("[rules]\na = 1\n", "leaklint.toml:1: unknown key `rules`", "known: "),
    "a string for a list": (
        'ids = "a"\n',
        "leaklint.toml:1: `ids` is not a list of strings",
        'write ids = ["...", "..."]',
    ),
    "a number in a list": ("\n\nids = [1]\n", "leaklint.toml:3: `ids` is not a list of strings", 'write ids = ["...'),
    "an unknown level": (
        'fail-level = "leek"\n',
        "leaklint.toml:1: `fail-level` cannot be 'leek'",
        "did you mean `leak`?",
    ),
    "an unknown confidence": ("min-confidence = 3\n", "leaklint.toml:1: `min-confidence` cannot be 3", "known: high, "),
    "a list for a table": ("per-file-ignores = []\n", "leaklint.toml:1: `per-file-ignores` is not a table", "write "),
    "a table of no lists": (
        "[per-file-ignores]\na = 1\n",
        "leaklint.toml:1: `per-file-ignores` is not a list",
        "write",
    ),
    "a model that is not there": ('models = ["x.toml"]\n', "leaklint.toml:1: no such model file: ", "relative to"),
    "a source folder that is not there": ('src = ["x"]\n', "leaklint.toml:1: no such source folder: x", "relative to"),
    "no TOML": ("ids = [\n", "leaklint.toml: not valid TOML: ", "--isolated"),
}


@pytest.mark.parametrize(("text", "message", "hint"), MISTAKES.values(), ids=MISTAKES.keys())
def test_a_mistake_names_the_file_the_line_and_the_way_out(tmp_path: Path, text: str, message: str, hint: str) -> None:
    told, way_out = mistake(tmp_path, text)
    assert told.startswith(message)
    assert hint in way_out


def test_the_line_is_looked_for_in_the_table_of_leaklint(tmp_path: Path) -> None:
    text = "[tool.other]\nselekt = 1\n\n[tool.leaklint]\nselekt = []\n"
    assert mistake(tmp_path, text, "pyproject.toml")[0] == "pyproject.toml:5: unknown key `selekt`"


def test_a_table_that_is_none(tmp_path: Path) -> None:
    assert (
        mistake(tmp_path, "[tool]\nleaklint = 3\n", "pyproject.toml")[0]
        == "pyproject.toml: tool.leaklint is not a table"
    )


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ('select = ["shared-stat"]', "select: unknown rule or family `shared-stat`"),
        ('ignore = ["id-not-pased"]', "ignore: unknown rule or family `id-not-pased`"),
        ('per-file-ignores = { "a.py" = ["race"] }', "per-file-ignores `a.py`: unknown rule or family `race`"),
    ],
)
def test_an_unknown_rule_in_the_configuration_is_2(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, where: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("leaklint.toml").write_text(text)
    for verb in ("check", "config"):
        result = CliRunner().invoke(cli, [verb])
        assert result.exit_code == 2
        assert where in result.stderr
        assert "did you mean" in result.stderr


def test_a_file_that_is_not_utf_8(tmp_path: Path) -> None:
    (tmp_path / "leaklint.toml").write_bytes(b'ids = ["\xff"]')
    with pytest.raises(UserError, match="not valid TOML"):
        discover([tmp_path])


@pytest.mark.parametrize(
    ("select", "ignore", "expected"),
    [
        ((), (), True),
        (("races",), (), False),
        (("shared-state",), (), True),
        (("shared-attribute-write",), ("shared-state",), True),
        (("shared-state",), ("shared-attribute-write",), False),
        ((), ("shared-state",), False),
        (("shared-attribute-write",), ("shared-attribute-write",), False),
    ],
)
def test_a_rule_wins_over_its_family(select: tuple[str, ...], ignore: tuple[str, ...], expected: bool) -> None:
    settings = Config(root=Path(), select=select, ignore=ignore)
    assert enabled(settings, "shared-attribute-write", Family.SHARED_STATE) is expected


def test_a_selection_on_the_command_line_starts_afresh() -> None:
    settings = Config(root=Path(), select=("races",), ignore=("shared-state",), min_confidence=Confidence.LOW)
    over = with_overrides(settings, select=["shared-state"], ignore=["races"], fail_level=Severity.RACE)
    assert (over.select, over.ignore) == (("shared-state",), ("races",))
    assert (over.min_confidence, over.fail_level) == (Confidence.LOW, Severity.RACE)
    assert with_overrides(settings, ignore=["races"]).ignore == ("shared-state", "races")
