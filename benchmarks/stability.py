"""Every package of a folder as a program of its own: nothing may crash, and what cannot be checked must be named.

    python benchmarks/stability.py FOLDER [--seconds N] [--budget N] [--tests]

Each file and each folder directly in FOLDER is checked by a process of its own, the smallest first; without `--tests`
modules of tests are left out, as in any check. Prints how the runs ended, the files that were not analysed with their
error, and every run that ended in any other way than a check does. A run of more than `--seconds` is stopped, and after
`--budget` seconds no further one is begun; both are said.
"""

from __future__ import annotations

import argparse
import json
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

ENDS = {0: "nothing found", 1: "findings", 2: "wrong usage", 3: "files that could not be checked", 4: "internal error"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seconds", type=float, default=300)
    parser.add_argument("--budget", type=float, default=float("inf"))
    parser.add_argument("--tests", action="store_true")
    arguments = parser.parse_args()
    began, ends, lines, files = time.monotonic(), Counter[str](), 0, 0
    programs = sorted(_programs(arguments.folder), key=_size)
    for number, program in enumerate(programs):
        if time.monotonic() - began > arguments.budget:
            ends["not begun"] = len(programs) - number
            break
        end, report, said = _checked(program, arguments.seconds, arguments.tests)
        ends[end] += 1
        lines += report.get("statistics", {}).get("lines", 0)
        files += report.get("statistics", {}).get("files", 0)
        for error in report.get("errors", ()):
            print(f"{program.name}: {error['path']}: {error['message']}")
        if end not in (*list(ENDS.values())[:2], ENDS[3]):
            print(f"!! {program.name}: {end} {said}", flush=True)
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(f"{files:,} files, {lines:,} lines, {used.ru_utime + used.ru_stime:,.0f} s of CPU; {dict(ends)}")


def _programs(folder: Path) -> list[Path]:
    inside = (p for p in folder.iterdir() if p.name not in ("__pycache__", "site-packages"))
    return [p for p in inside if p.suffix == ".py" or (p.is_dir() and next(p.rglob("*.py"), None) is not None)]


def _size(program: Path) -> tuple[int, str]:
    return sum(p.stat().st_size for p in ([program] if program.is_file() else program.rglob("*.py"))), program.name


def _checked(program: Path, seconds: float, tests: bool) -> tuple[str, dict[str, Any], str]:
    """How a check of one program ended, its report, and the end of what it said to people."""
    with tempfile.TemporaryDirectory() as scratch:
        (Path(scratch) / "leaklint.toml").write_text(f'tests = "{"check" if tests else "skip"}"\n', "utf-8")
        if program.is_dir():
            shutil.copytree(program, Path(scratch) / program.name, ignore=shutil.ignore_patterns("__pycache__", "*.so"))
        else:
            shutil.copy(program, scratch)
        command = [sys.executable, "-m", "leaklint", "check", ".", "--no-cache", "--output-format", "json"]
        try:
            ran = subprocess.run(command, cwd=scratch, capture_output=True, text=True, timeout=seconds)
        except subprocess.TimeoutExpired:
            return f"stopped after {seconds:.0f} s", {}, ""
    try:
        report = json.loads(ran.stdout)
    except ValueError:
        report = {}
    end = ENDS.get(ran.returncode, f"exit {ran.returncode}") if report or ran.returncode > 1 else "no report"
    return end, report, ran.stderr[-300:]


if __name__ == "__main__":
    main()
