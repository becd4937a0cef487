"""Marked programs: what their lines say should be found, and what leaklint finds.

A mark is a comment behind a line of code: `# leak: rule, rule` is a finding on this line, `# missed: rule` a leak that
leaklint is known not to find. A line without a mark is an assertion too: nothing is found there.
"""

from __future__ import annotations

import io
import re
import tokenize
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TypeAlias

from msgspec import Struct

from leaklint.config import Config, discover
from leaklint.finding import Family
from leaklint.run import Report, run

FIXTURES = Path(__file__).resolve().parent.parent / "fixtures"

Place: TypeAlias = tuple[str, int, str]  # path, line, rule


class Marks(Struct, frozen=True):
    """What the lines of a program say; a rule named twice on a line is expected twice."""

    leaks: Counter[Place]
    missed: Counter[Place]


def read(folder: Path) -> Marks:
    """The marks of all Python files below a folder. Raises ValueError for a mark that is none."""
    marks = Marks(Counter(), Counter())
    for file in sorted(folder.rglob("*.py")):
        path = file.relative_to(folder).as_posix()
        for line, kind, rule in _in_text(file.read_text("utf-8"), str(file)):
            (marks.leaks if kind == "leak" else marks.missed)[path, line, rule] += 1
    return marks


def _in_text(text: str, name: str) -> Iterator[tuple[int, str, str]]:
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type != tokenize.COMMENT:
            continue
        for comment in token.string.split("#"):
            if not re.match(r"\s*(leak|missed)\s*:", comment):
                continue
            mark = re.fullmatch(r" (leak|missed): ([a-z-]+(?:, [a-z-]+)*) *", comment)
            if mark is None:
                raise ValueError(f"{name}:{token.start[0]}: not a mark: `#{comment}`")
            if not token.line[: token.start[1]].strip():
                raise ValueError(f"{name}:{token.start[0]}: a mark stands behind a line of code")
            yield from ((token.start[0], mark[1], rule) for rule in mark[2].split(", "))


def report(folder: Path, select: tuple[str, ...] = ()) -> Report:
    """What leaklint says of the program in a folder, with default settings or those of a `leaklint.toml` in it.

    `select` are rules that are off by default, which run besides all others.
    """
    own = folder / "leaklint.toml"
    families = tuple(family.value for family in Family)
    plain = Config(root=folder, select=(*families, *select) if select else ())
    config = discover([folder], file=own) if own.exists() else plain
    return run([folder], config)


def differences(folder: Path) -> list[str]:
    """Where marks and findings disagree, and what could not be checked: one line each, none when all is well."""
    marks, result = read(folder), report(folder)
    found = Counter((finding.span.path, finding.span.line, finding.rule) for finding in result.findings)
    messages = {(f.span.path, f.span.line, f.rule): f.message for f in result.findings}
    alarms = [
        (place, "false alarm, a known leak now found (mark it `leak`)" if place in marks.missed else "false alarm")
        for place in (found - marks.leaks).elements()
    ]
    alarms += [(place, "missed alarm") for place in (marks.leaks - found).elements()]
    lines = [
        f"{kind}: {folder.name}/{path}:{line} {rule}" + (f": {messages[place]}" if place in messages else "")
        for place, kind in sorted(alarms)
        for path, line, rule in [place]
    ]
    return lines + [f"not checked: {p.path}:{p.line}: {p.message}" for p in result.problems]
