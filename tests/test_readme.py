"""What the README says is so: its rules, its commands, its exit codes, its keys."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from leaklint import cli, config

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text("utf-8")


def test_the_example_is_found_as_it_is_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pattern = r"<!-- example: app.py -->\n```python\n(.*?)```\n<!-- finding.*?-->\n```text\n(.*?)```\n"
    [(code, shown)] = re.findall(pattern, README, re.S)
    (tmp_path / "app.py").write_text(code)
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(cli.cli, ["check", "app.py", "--isolated"])
    assert result.exit_code == 1
    assert shown == result.stdout, f"put this into the README:\n{result.stdout}"


def test_the_table_of_rules_is_current() -> None:
    written = README.partition("<!-- rules: leaklint rules --output-format markdown -->\n")[2]
    written = written.partition("<!-- end of rules -->")[0]
    result = CliRunner().invoke(cli.cli, ["rules", "--output-format", "markdown"])
    assert result.exit_code == 0, result.stderr
    assert written == result.stdout, "put the output of `leaklint rules --output-format markdown` into the README"


def test_every_command_exists_with_its_options() -> None:
    blocks = re.findall(r"^```console\n(.*?)^```", README, re.M | re.S)
    lines = [command for block in blocks for command in re.findall(r"\bleaklint \w.*", block)]
    assert len(lines) >= 9
    for line in lines:
        _, verb, *arguments = shlex.split(line.partition("#")[0])
        known = {name for parameter in cli.cli.commands[verb].params for name in parameter.opts}
        assert {argument for argument in arguments if argument.startswith("-")} <= known, line


def test_the_tables_of_speed_name_the_command_that_made_them() -> None:
    section = README.partition("\n## Speed\n")[2].partition("\n## ")[0]
    made = [shlex.split(line) for line in re.findall(r"^python (benchmarks/.*)$", section, re.M)]
    assert made and "| ---: |" in section
    for script, *arguments in made:
        result = subprocess.run([sys.executable, str(ROOT / script), "--help"], capture_output=True, text=True)
        assert result.returncode == 0, result.stderr
        assert all(name in result.stdout for name in arguments if name.startswith("--")), made


def test_every_key_of_the_configuration_is_listed() -> None:
    table = README.partition("| key | meaning | default |")[2].partition("\n\n")[0]
    listed = {name for row in table.splitlines() for name in re.findall(r"`([^`]*)`", row.split("|")[1] if row else "")}
    assert listed == set(config.KEYS)


def test_every_exit_code_is_listed() -> None:
    table = README.partition("| code | meaning |")[2].partition("\n\n")[0]
    listed = [int(code) for code in re.findall(r"^\| (\d) ", table, re.M)]
    assert listed == [cli.CLEAN, cli.FOUND, cli.USAGE, cli.UNCHECKED, cli.INTERNAL]
