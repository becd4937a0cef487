"""The hooks, run by the real pre-commit from a clone of this checkout.

pre-commit builds an environment of its own for the hook, and gets leaklint's dependencies from the package index.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from msgspec import Struct

CHECKOUT = Path(__file__).resolve().parent.parent

LEAKY = """\
from fastapi import FastAPI

app = FastAPI()


class Desk:
    def __init__(self):
        self.question = None


desk = Desk()


@app.post("/ask")
async def ask(question: str):
    desk.question = question
    await answer()
    return {"question": desk.question}


async def answer(): ...
"""

CLEAN = """\
from fastapi import FastAPI

app = FastAPI()


@app.post("/ask")
async def ask(question: str):
    return {"question": question}
"""


class Project(Struct, frozen=True):
    """A git repository that uses the hooks."""

    root: Path
    environment: dict[str, str]

    def run(self, *arguments: str) -> tuple[int, str]:
        """The exit code and the output of `pre-commit run`."""
        command = [sys.executable, "-m", "pre_commit", "run", "--verbose", *arguments]
        result = subprocess.run(
            command, cwd=self.root, env=self.environment, capture_output=True, text=True, check=False
        )
        return result.returncode, result.stdout + result.stderr

    def commit(self, text: str) -> None:
        (self.root / "app.py").write_text(text)
        commit(self.root, self.environment)


def git(root: Path, environment: dict[str, str], *arguments: str) -> str:
    return subprocess.check_output(["git", *arguments], cwd=root, env=environment, text=True).strip()


def commit(root: Path, environment: dict[str, str]) -> str:
    """Commit everything; the new revision."""
    if not (root / ".git").exists():
        git(root, environment, "init", "-q")
    git(root, environment, "add", "-A")
    git(root, environment, "-c", "user.name=t", "-c", "user.email=t@localhost", "commit", "-qm", "state", "--no-verify")
    return git(root, environment, "rev-parse", "HEAD")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project whose hooks come from the files of this checkout as they are now, committed or not."""
    folder = tmp_path_factory.mktemp("precommit")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    environment |= {"PRE_COMMIT_HOME": str(folder / "home"), "NO_COLOR": "1"}
    hooks = folder / "hooks"
    listed = git(CHECKOUT, environment, "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    for name in filter(None, listed.split("\0")):
        if (CHECKOUT / name).is_file() and not name.startswith(("tests/", "fixtures/")):
            (hooks / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(CHECKOUT / name, hooks / name)
    revision = commit(hooks, environment)
    root = folder / "project"
    root.mkdir()
    (root / ".pre-commit-config.yaml").write_text(
        f"repos:\n- repo: {hooks.as_uri()}\n  rev: {revision}\n  hooks:\n  - id: leaklint\n  - id: leaklint-fix\n"
    )
    return Project(root, environment)


def test_the_hooks_check_the_whole_project_and_mend_it_on_request(project: Project) -> None:
    project.commit(CLEAN)
    code, output = project.run()
    assert code == 0, f"the hook could not be installed or did not pass; is the package index in reach?\n{output}"
    assert "0 findings; 1 file checked" in output
    assert "leaklint (fix)" not in output  # it runs by hand only

    project.commit(LEAKY)
    code, output = project.run()  # nothing is staged: the hook runs all the same, on the whole project
    assert code == 1
    assert "leak[shared-attribute-write]" in output
    assert "app.py:16:5" in output

    code, output = project.run("leaklint-fix", "--hook-stage", "manual")
    assert "leaklint (fix)" in output
    assert "mended in" in output

    (project.root / "leaklint.toml").write_text("exclud = []\n")
    code, output = project.run()
    assert code == 1
    assert "unknown key `exclud`" in output
