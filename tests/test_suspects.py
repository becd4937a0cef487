"""What holds for the suspects of any program, and for what is said of a whole run."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import marks
import pytest

from leaklint import indexing, models
from leaklint.check import check
from leaklint.config import Config
from leaklint.files import SourceFile, collect
from leaklint.progress import silent
from leaklint.project import link
from leaklint.project.values import Partial
from leaklint.syntax import Files


def solved(files: list[SourceFile]) -> link.Project:
    with indexing.roomy(), indexing.indexed(files, None, 1, silent, list) as index:
        imported = {i.module.partition(".")[0] for summary, _ in index.modules for i in summary.imports if not i.level}
        return link.link(index.modules, models.select(imported))


@pytest.mark.parametrize("kind", ["apps", "rules"])
def test_every_suspect_has_the_node_that_a_codemod_may_ask_for(kind: str) -> None:
    folder = marks.FIXTURES / kind
    files, _ = collect(folder, Config(root=folder), [folder])
    opened = Files({file.path: file.text for file in files})
    suspects = link.suspects(solved(files))
    assert len(suspects) > 40
    for suspect in suspects:
        opened.begin()
        opened(suspect.span.path).node_at(suspect.span)  # raises LookupError where there is none


def test_calls_are_counted_once_however_often_they_are_seen() -> None:
    text = "def twice(x):\n    return x.strip() + unknown(x)\n\ntwice('a')\ntwice(1)\ntwice(None)\n"
    assert solved([SourceFile("app.py", text, "")]).calls() == (4, 1)


def test_the_seed_of_hashes_does_not_show() -> None:
    assert _run("1") == _run("2") != ""


def _run(seed: str) -> str:
    root = Path(__file__).parent.parent
    command = [sys.executable, "-m", "leaklint", "check", "fixtures/apps", "--isolated", "--no-cache"]
    command += ["--output-format", "json", "--min-confidence", "low"]
    environment = {**os.environ, "PYTHONHASHSEED": seed}
    done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=False)
    report = json.loads(done.stdout)
    del report["statistics"]["seconds"]
    return json.dumps(report)


def test_a_package_that_is_checked_from_within_imports_itself_by_its_name(tmp_path: Path) -> None:
    folder = tmp_path / "shop" / "api"
    folder.mkdir(parents=True)
    (tmp_path / "shop" / "__init__.py").touch()
    (folder / "__init__.py").touch()
    (folder / "desk.py").write_text("class Desk:\n    question = None\n\n\ndesk = Desk()\n")
    (folder / "routes.py").write_text(
        "from fastapi import FastAPI\n\nfrom shop.api.desk import desk\n\napp = FastAPI()\n\n\n"
        "@app.get('/')\ndef ask(question: str):\n    desk.question = question\n    return desk.question\n"
    )
    config = Config(root=folder)
    files, _ = collect(folder, config)
    (found,) = check(files, config).findings
    assert (found.rule, found.span.path, found.span.line) == ("shared-attribute-write", "routes.py", 10)
    assert "the shared `Desk`" in found.message


def test_a_method_that_is_wrapped_in_itself_is_wrapped_a_few_times_only() -> None:
    text = (
        "from functools import partial\n\n\nclass Client:\n    def send(self, timeout=None):\n        return timeout\n"
        "client = Client()\nfor seconds in range(9):\n    client.send = partial(client.send, timeout=seconds)\n"
        "    client.send = partial(client.send, timeout=None)\n"
    )
    state = solved([SourceFile("app.py", text, "")]).state
    wrapped = [a for fields in state.heap.values() for a in fields.get("send", ()) if isinstance(a, Partial)]
    assert 0 < len(wrapped) < 20
