"""A fixture application and a drive script in, what two interleaved users saw out, as plain JSON data.

It knows no application and no framework, and it never sleeps: a drive script forces the order of events in the fakes of
its app.

A test copies an app, drives the copy, lets leaklint fix it and drives it again:

    app = copy_app("fit_check", tmp_path)
    before = drive(app, "fit_check.py", "streams", paths=["backend"])
    fix(app)
    after = drive(app, "fit_check.py", "streams", paths=["backend"])

and the script `tests/apps/drives/fit_check.py` ends in the scenarios it offers:

    if __name__ == "__main__":
        play({"streams": streams})
"""

import asyncio
import inspect
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
APPS = ROOT / "fixtures" / "apps"
DRIVES = HERE / "drives"

# Far above what any drive needs: it only turns a deadlock in a broken app into a failure.
DEADLOCK_SECONDS = 180


def copy_app(name: str, parent: Path) -> Path:
    """Copy `fixtures/apps/<name>` below `parent` and return the folder of the copy."""
    return Path(shutil.copytree(APPS / name, parent / name, ignore=shutil.ignore_patterns("__pycache__")))


def drive(
    app: Path, script: str, scenario: str, *, paths: Sequence[str] = (".",), env: Mapping[str, str] | None = None
) -> Any:
    """Run one scenario of `tests/apps/drives/<script>` in a fresh interpreter and return the JSON value printed last.

    `paths` are folders of the app, relative to it, in the order in which they are on `sys.path`; it runs in `app`.
    Raises AssertionError with the output of the script where it fails.
    """
    command = [
        sys.executable,
        "-P",
        str(DRIVES / script),
        scenario,
    ]  # -P: a script must not shadow a package of its app
    done = _run(command, app, [*(str(app / path) for path in paths), str(HERE)], env or {})
    assert done.returncode == 0, f"drive {script} {scenario} failed\n{done.stdout}\n{done.stderr}"
    return json.loads(done.stdout.splitlines()[-1])


def fix(app: Path, *options: str, unsafe: bool = True) -> str:
    """Run `leaklint fix --apply [--unsafe-fixes] [options]` in the app and return what it printed.

    Raises AssertionError where it does not end with 0 (all fixed) or 1 (findings are left).
    """
    command = [sys.executable, "-m", "leaklint", "fix", "--apply", *(["--unsafe-fixes"] if unsafe else []), *options]
    done = _run(command, app, [str(ROOT)], {})
    # An interpreter that cannot import leaklint ends with 1 too, but a run always prints what it did.
    ran = done.returncode in (0, 1) and done.stdout
    assert ran, f"leaklint fix ended with {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def play(scenarios: Mapping[str, Callable[[], Any]]) -> None:
    """Run the scenario that the command line names, plain or coroutine function, and print its result as JSON."""
    result = scenarios[sys.argv[1]]()
    seen = asyncio.run(result) if inspect.iscoroutine(result) else result
    print(json.dumps(seen), flush=True)


def _run(command: list[str], app: Path, path: list[str], env: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    settings = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(path),
        "PYTHONDONTWRITEBYTECODE": "1",  # byte code of the unfixed file would be taken for that of the fixed one
        **env,
    }
    return subprocess.run(
        command, cwd=app, env=settings, capture_output=True, text=True, timeout=DEADLOCK_SECONDS, check=False
    )
