"""How fast leaklint is, as the tables of the README: beside other tools, by size, on a second run, by two processes.

    python benchmarks/speed.py SITE_PACKAGES [--tools BIN] [--part PART ...] [--lines N ...] [--runs N]
                               [--application FOLDER ...]

SITE_PACKAGES holds the installed packages that the programs are put together from; none is imported. BIN is the `bin`
folder of an environment with the other tools (`pip install ruff bandit pylint semgrep fixit`); one that is missing is
said and left out. Each figure is a whole process, start-up included: CPU seconds of user and system, of all its
processes, median of the runs. A process above ten seconds runs once. Figures of one table are from one run.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SIZES = (50_000, 100_000, 200_000, 500_000, 1_000_000, 2_000_000)
PARTS = ("tools", "size", "growth", "again", "jobs")
EDITED = 9  # files of which each is changed in turn
BIG = 500_000  # lines above which one and two processes run once each
SLOW = 10.0  # CPU seconds above which a process runs once
PARSE = """
import ast, sys, tokenize, warnings
warnings.simplefilter("ignore")
for name in sys.stdin.read().split("\\0"):
    try:
        with tokenize.open(name) as file:
            ast.parse(file.read())
    except (SyntaxError, ValueError, UnicodeError):
        pass
"""
SEMGREP = """
rules:
  - {id: assert-used, languages: [python], severity: INFO, message: m, pattern: "assert $X"}
  - {id: global-write, languages: [python], severity: INFO, message: m, pattern: "global $X"}
"""

TOOLS = {
    "ruff": ("all rules", "check --select ALL --isolated --no-cache --exit-zero --quiet"),
    "bandit": ("all rules", "-r -q -f json"),
    "semgrep": (
        "two local rules",
        "scan --config semgrep.yml --metrics=off --disable-version-check --jobs=1 --quiet --no-git-ignore",
    ),
    "pylint": (
        "four rules",
        "--disable=all --enable=W0102,W0601,W0603,W0640 --jobs=1 --recursive=y --persistent=n --score=n",
    ),
    "fixit": ("its own rules", "lint"),
}
SIZE = "| program | lines | `ast.parse`, CPU seconds | leaklint, cold | × | MiB |\n"
SIZE += "| --- | ---: | ---: | ---: | ---: | ---: |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("packages", type=Path)
    parser.add_argument("--tools", type=Path)
    parser.add_argument("--part", action="append", choices=PARTS)
    parser.add_argument("--lines", type=int, nargs="+", default=SIZES)
    parser.add_argument("--application", type=Path, action="append", default=[])
    parser.add_argument("--runs", type=int, default=3)
    arguments = parser.parse_args()
    parts = arguments.part or PARTS
    load = " ".join(f"{figure:.1f}" for figure in os.getloadavg())
    print(f"Python {sys.version.split()[0]}, {len(os.sched_getaffinity(0))} processors, load before the run {load}\n")
    with tempfile.TemporaryDirectory() as scratch:
        bench = Bench(Path(scratch), arguments.runs)
        if "tools" in parts:
            show(tools(bench, bench.cut("tools", arguments.packages, 80_000), arguments.tools))
        if "size" in parts:
            show(sizes(bench, arguments.packages, arguments.lines, arguments.application))
        if "growth" in parts:
            show(growth(bench, arguments.packages, arguments.lines))
        if "again" in parts:
            show(again(bench, bench.cut("again", arguments.packages, 100_000)))
        if "jobs" in parts:
            show(jobs(bench, arguments.packages, arguments.lines))


def show(rows: Iterator[str]) -> None:
    for row in rows:
        print(row, flush=True)
    print(flush=True)


# --- programs --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Program:
    """A folder of Python files."""

    folder: Path
    files: tuple[Path, ...]
    lines: int


@dataclass(frozen=True)
class Measured:
    """One process, or the medians of several: seconds and MiB; `peak` is that of the largest process."""

    cpu: float
    wall: float
    peak: float


class Bench:
    """Puts programs together in a scratch folder, and measures processes."""

    def __init__(self, scratch: Path, runs: int) -> None:
        self.scratch = scratch
        self.runs = runs

    def cut(self, name: str, packages: Path, lines: int) -> Program:
        """The first files, up to a number of lines, of all packages in an order that is always the same."""
        folders = sorted(folder for folder in packages.iterdir() if folder.is_dir())
        random.Random(0).shuffle(folders)
        taken, total = [], 0
        for file in files_of(folders):
            if total >= lines:
                break
            taken.append(file)
            total += lines_of(file[1])
        return self.copied(name, taken)

    def half(self, name: str, program: Program, number: int) -> Program:
        """One of two halves: each package is whole, and goes to the half that has fewer lines so far."""
        packages: dict[Path, list[Path]] = {}
        for file in program.files:
            packages.setdefault(program.folder / file.relative_to(program.folder).parts[0], []).append(file)
        halves: list[list[tuple[Path, Path]]] = [[], []]
        loads = [0, 0]
        for top, files in sorted(packages.items(), key=lambda item: -sum(map(lines_of, item[1]))):
            lighter = loads.index(min(loads))
            loads[lighter] += sum(map(lines_of, files))
            halves[lighter] += [(top, file) for file in files]
        return self.copied(name, halves[number])

    def copied(self, name: str, files: Sequence[tuple[Path, Path]]) -> Program:
        folder = self.scratch / name
        made = []
        for top, file in files:
            target = folder / top.name / file.relative_to(top)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, target)
            made.append(target)
        return Program(folder, tuple(made), sum(lines_of(file) for file in made))

    def median(self, command: Sequence[object], stdin: str = "", cwd: Path | None = None) -> Measured:
        runs = [measured(command, stdin, cwd or self.scratch)]
        while len(runs) < self.runs and runs[0].cpu < SLOW:
            runs.append(measured(command, stdin, cwd or self.scratch))
        return Measured(*(statistics.median(getattr(run, name) for run in runs) for name in ("cpu", "wall", "peak")))

    def parse(self, program: Program) -> Measured:
        return self.median([sys.executable, "-c", PARSE], "\0".join(map(str, program.files)))

    def check(self, program: Program, *options: str) -> Measured:
        return self.median([*LEAKLINT, program.folder, *(options or ("--no-cache", "--jobs", "1"))])


LEAKLINT = [sys.executable, "-m", "leaklint", "check", "--isolated", "--output-format", "json"]


def files_of(folders: Sequence[Path]) -> list[tuple[Path, Path]]:
    """The Python files below each folder, in order, each with the folder it is of."""
    aside = {"node_modules", "site-packages"}
    return [
        (folder, file)
        for folder in folders
        for file in sorted(folder.rglob("*.py"))
        if file.is_file() and not aside & {*file.relative_to(folder).parts}
    ]


def lines_of(file: Path) -> int:
    return file.read_bytes().count(b"\n")


def measured(command: Sequence[object], stdin: str, cwd: Path) -> Measured:
    """Run a process to its end; every exit code but those of a crash is fine."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "SEMGREP_SEND_METRICS": "off"}
    with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as errors:
        given.write(stdin.encode())
        given.seek(0)
        start = time.perf_counter()
        process = subprocess.Popen(
            [str(part) for part in command],
            stdin=given,
            stdout=subprocess.DEVNULL,
            stderr=errors,
            cwd=cwd,
            env=environment,
        )
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        errors.seek(0)
        if process.returncode < 0 or b"Traceback" in errors.read():
            raise SystemExit(f"{command}: ended with {process.returncode}")
    return Measured(usage.ru_utime + usage.ru_stime, wall, usage.ru_maxrss / 1024)


# --- tables ----------------------------------------------------------------------------------------------------------


def tools(bench: Bench, program: Program, folder: Path | None) -> Iterator[str]:
    """CPU seconds of other tools on one program."""
    parse = bench.parse(program)
    yield f"{program.lines:,} lines of library code in {len(program.files)} files:\n"
    yield "| tool | CPU seconds | × `ast.parse` | MiB |\n| --- | ---: | ---: | ---: |"
    yield row("`ast.parse` alone", parse, parse)
    yield row("leaklint, all rules", bench.check(program), parse)
    (bench.scratch / "semgrep.yml").write_text(SEMGREP)
    for name, (title, options) in TOOLS.items():
        tool = folder / name if folder is not None else None
        if tool is None or not tool.is_file():
            yield f"| {name} | not installed | | |"
            continue
        yield row(f"{name}, {title}", bench.median([tool, *options.split(), program.folder]), parse)


def row(title: str, run: Measured, parse: Measured) -> str:
    return f"| {title} | {run.cpu:.1f} | {run.cpu / parse.cpu:.1f} | {run.peak:.0f} |"


def sizes(bench: Bench, packages: Path, lines: Sequence[int], applications: Sequence[Path]) -> Iterator[str]:
    """Cold runs of growing programs of library code, and of applications."""
    yield SIZE
    programs = [("libraries", bench.cut(f"size{count}", packages, count)) for count in lines]
    programs += [
        (folder.name.partition("@")[0], bench.copied(folder.name, files_of([folder]))) for folder in applications
    ]
    for name, program in programs:
        parse, cold = bench.parse(program), bench.check(program)
        figures = f"{parse.cpu:.1f} | {cold.cpu:.1f} | {cold.cpu / parse.cpu:.1f} | {cold.peak:.0f}"
        yield f"| {name} | {program.lines:,} | {figures} |"


def growth(bench: Bench, packages: Path, lines: Sequence[int]) -> Iterator[str]:
    """Programs beside their own halves, so that twice the code is twice the same kind of code."""
    yield "| lines | leaklint, cold | half of it | the other half | t(2n) / t(n) |"
    yield "| ---: | ---: | ---: | ---: | ---: |"
    for count in lines:
        program = bench.cut(f"growth{count}", packages, count)
        whole = bench.check(program).cpu
        first, other = (bench.check(bench.half(f"half{count}.{part}", program, part)).cpu for part in range(2))
        yield f"| {program.lines:,} | {whole:.2f} | {first:.2f} | {other:.2f} | {2 * whole / (first + other):.2f} |"


def again(bench: Bench, program: Program) -> Iterator[str]:
    """A second run of one program: as it is, and with one file changed, for files all over it."""
    kept = ("--cache-dir", str(bench.scratch / "kept"), "--jobs", "1")
    yield f"{program.lines:,} lines of library code, one process:\n"
    yield "| run | CPU seconds | seconds |\n| --- | ---: | ---: |"
    yield second("cold, nothing kept", bench.check(program))
    yield second("cold, the cache is written", measured([*LEAKLINT, program.folder, *kept], "", bench.scratch))
    yield second("nothing changed", bench.check(program, *kept))
    for title, change in (("comment", "# a comment\n"), ("statement", "value_of_nobody = 1\n")):
        runs = []
        for number in range(EDITED):
            file = program.files[(2 * number + 1) * len(program.files) // (2 * EDITED)]
            before = file.read_bytes()
            file.write_bytes(before + b"\n" + change.encode())
            runs.append(measured([*LEAKLINT, program.folder, *kept], "", bench.scratch))
            file.write_bytes(before)
            bench.check(program, *kept)
        runs.sort(key=lambda run: run.cpu)
        yield second(f"a {title} added to one file, median of {EDITED} files", runs[EDITED // 2])
        yield second(f"a {title} added to one file, the slowest", runs[-1])


def second(title: str, run: Measured) -> str:
    return f"| {title} | {run.cpu:.2f} | {run.wall:.2f} |"


def jobs(bench: Bench, packages: Path, lines: Sequence[int]) -> Iterator[str]:
    """One process and two, in turn; seconds mean something on a machine that does nothing else."""
    yield "| lines | one process, seconds | two | times as fast | one, CPU seconds | two |"
    yield "| ---: | ---: | ---: | ---: | ---: | ---: |"
    for count in lines:
        program = bench.cut(f"jobs{count}", packages, count)
        runs: dict[int, list[Measured]] = {1: [], 2: []}
        for _ in range(1 if count > BIG else max(3, bench.runs)):
            for number, found in runs.items():
                found.append(measured([*LEAKLINT, program.folder, "--no-cache", "--jobs", number], "", bench.scratch))
        one, two = (statistics.median(run.wall for run in found) for found in runs.values())
        cpu = " | ".join(f"{statistics.median(run.cpu for run in found):.2f}" for found in runs.values())
        yield f"| {program.lines:,} | {one:.2f} | {two:.2f} | {one / two:.2f} | {cpu} |"


if __name__ == "__main__":
    main()
