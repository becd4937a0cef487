"""CPU of a cold check against `ast.parse` of the same files, each as a process of its own.

    python benchmarks/ratio.py [FOLDER ...] [--runs N]

Without folders: the installed packages `fastapi` and `gradio` (found, never imported). Prints the median of CPU seconds
(user + system, start-up included) of both and their ratio, pair by pair.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

PARSE = """
import ast, sys, tokenize
for name in sys.stdin.read().split("\\0"):
    with tokenize.open(name) as file:
        ast.parse(file.read())
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", nargs="*", type=Path)
    parser.add_argument("--runs", type=int, default=5)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        root = Path(scratch) / "program"
        for folder in arguments.folders or packages("fastapi", "gradio"):
            shutil.copytree(
                folder, root / folder.name, ignore=lambda _, names: [n for n in names if n == "node_modules"]
            )
        files = sorted(str(f) for f in root.rglob("*.py"))
        lines = sum(Path(f).read_bytes().count(b"\n") for f in files)
        print(f"{len(files)} files, {lines} lines, Python {sys.version.split()[0]}")
        pairs = [(parse(files), check(root)) for _ in range(arguments.runs)]
    ours = [b for _, b in pairs]
    print(f"ast.parse        {statistics.median(a for a, _ in pairs):6.2f} s CPU")
    print(f"leaklint check   {statistics.median(ours):6.2f} s CPU")
    print(f"ratio            {statistics.median(b / a for a, b in pairs):6.2f}")


def packages(*names: str) -> list[Path]:
    """Folders of installed packages."""
    found = [importlib.util.find_spec(name) for name in names]
    return [Path(spec.origin).parent for spec in found if spec is not None and spec.origin is not None]


def parse(files: list[str]) -> float:
    """CPU seconds of a process that only parses."""
    return cpu([sys.executable, "-c", PARSE], "\0".join(files))


def check(root: Path) -> float:
    """CPU seconds of a whole run of leaklint."""
    cold = ("--isolated", "--no-cache", "--jobs", "1")
    command = [sys.executable, "-m", "leaklint", "check", str(root), "--output-format", "json", *cold]
    return cpu(command, "")


def cpu(command: list[str], text: str) -> float:
    before = os.times()
    done = subprocess.run(command, input=text, capture_output=True, text=True)
    after = os.times()
    if done.returncode not in (0, 1, 3):
        raise SystemExit(f"{command[:4]} ended with {done.returncode}: {done.stderr[-300:]}")
    if "leaklint" in command and done.stdout:
        json.loads(done.stdout)
    return after.children_user + after.children_system - before.children_user - before.children_system


if __name__ == "__main__":
    main()
