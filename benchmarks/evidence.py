"""What was found on public programs and judged by reading their code, as a page.

    python benchmarks/evidence.py [--check]

Reads `docs/evidence.toml` and writes `docs/evidence.md`: precision by rule from the judged findings, and the figures of
runs on labelled leaks as they were seen. With `--check` nothing is written; exit 1 says that the page is not current.
"""

from __future__ import annotations

import argparse
import sys
import tomllib
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

DOCS = Path(__file__).resolve().parent.parent / "docs"
VERDICTS = ("true", "harmless", "false")
_TABLE = "| rule | read | true | harmless | false | silent today |\n| --- | --- | --- | --- | --- | --- |"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    arguments = parser.parse_args()
    page = render(tomllib.loads((DOCS / "evidence.toml").read_text("utf-8")))
    target = DOCS / "evidence.md"
    if arguments.check:
        return int(not target.exists() or target.read_text("utf-8") != page)
    target.write_text(page, "utf-8")
    return 0


def render(data: dict[str, Any]) -> str:
    """The page for the parsed data file. Raises ValueError for a verdict that does not exist."""
    judged = data["judged"]
    for entry in judged:
        if entry["verdict"] not in VERDICTS:
            raise ValueError(f"no such verdict: {entry['verdict']}")
    parts = [
        "# Evidence",
        "Made by `python benchmarks/evidence.py` from `docs/evidence.toml`.",
        data["how"].strip(),
        "The fixes that were made on the same programs, and read, are in [fixes.md](fixes.md).",
        "## Findings that were read",
        _by_rule(judged),
        _summary(judged),
        "## Labelled leaks",
        _runs(data.get("run", [])),
        "## Missed, and what it would take",
        "\n".join(f"- {m['case']}: {m['takes']}" for m in data.get("missed", [])),
        "## Every judged finding",
        *_by_program(judged),
    ]
    return "\n\n".join(parts) + "\n"


def _by_rule(judged: list[dict[str, Any]]) -> str:
    rows = [_TABLE]
    for rule in sorted({entry["rule"] for entry in judged}):
        rows.append(_row(f"`{rule}`", [entry for entry in judged if entry["rule"] == rule]))
    return "\n".join([*rows, _row("all", judged)])


def _row(name: str, entries: list[dict[str, Any]]) -> str:
    count = Counter(entry["verdict"] for entry in entries)
    silent = sum(not entry["found"] for entry in entries)
    return f"| {name} | {len(entries)} | {' | '.join(str(count[v]) for v in VERDICTS)} | {silent} |"


def _summary(judged: list[dict[str, Any]]) -> str:
    left = [entry for entry in judged if entry["found"]]
    count, first = Counter(e["verdict"] for e in left), Counter(e["verdict"] for e in judged)
    lost = sum(e["verdict"] == "true" and not e["found"] for e in judged)
    return (
        f"Of {len(judged)} findings read, {first['true']} were true. After the engine was mended by their causes "
        f"{len(left)} of them are still told, {count['true']} of these true, {count['harmless']} harmless and "
        f"{count['false']} false; {lost} true ones are lost."
    )


def _runs(runs: list[dict[str, Any]]) -> str:
    rows = ["| what | figure | command |", "| --- | --- | --- |"]
    return "\n".join([*rows, *(f"| {r['what']} | {r['figure']} | `{r['command']}` |" for r in runs)])


def _by_program(judged: list[dict[str, Any]]) -> list[str]:
    programs: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for entry in judged:
        programs[f"{entry['repository']} at {entry['commit'][:10]}"].append(entry)
    return [f"### {name}\n\n" + "\n".join(_line(e) for e in entries) for name, entries in sorted(programs.items())]


def _line(entry: dict[str, Any]) -> str:
    told = "" if entry["found"] else ", silent today"
    return f"- `{entry['path']}:{entry['line']}` {entry['rule']}: **{entry['verdict']}**{told}. {entry['reason']}"


if __name__ == "__main__":
    sys.exit(main())
