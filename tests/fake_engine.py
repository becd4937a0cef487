"""A stand-in for the analysis, so that the shell around it is tested alone: the findings are given, not found."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest
from msgspec import Struct, field

import leaklint
import leaklint.cache
import leaklint.rule
from leaklint.config import Config
from leaklint.files import SourceFile
from leaklint.finding import Confidence, Family, Finding, Problem, Safety, Severity, Span

RULES = {
    "shared-attribute-write": (Family.SHARED_STATE, Severity.LEAK, Safety.SUGGESTED),
    "shared-container-write": (Family.SHARED_STATE, Severity.LEAK, Safety.SUGGESTED),
    "check-then-act": (Family.RACES, Severity.RACE, None),
    "id-not-passed": (Family.PROPAGATION, Severity.TRACE, Safety.SAFE),
}

PAGE = """# {name}

finds what `{name}` finds

## What it does

It finds it.

## Example

```python
class Agent:
    # a comment, not a heading

    holder = {{}}
```
"""


class Statistics(Struct, frozen=True):
    files: int
    entry_points: int
    seconds: dict[str, float] = field(default_factory=dict)
    models: dict[str, int] = field(default_factory=dict)


class FakeEngine(Struct):
    """What the fake `check` returns, and what it was given."""

    findings: tuple[Finding, ...] = ()
    problems: tuple[Problem, ...] = ()
    entry_points: int = 1
    error: Exception | None = None
    programs: list[list[str]] = field(default_factory=list)
    configs: list[Config] = field(default_factory=list)

    def check(
        self, files: Sequence[SourceFile], config: Config, progress: Callable[[str, int, int], None], **_: object
    ) -> object:
        self.programs.append([file.path for file in files])
        self.configs.append(config)
        progress("judging", len(files), len(files))
        if self.error is not None:
            raise self.error
        inside = set(self.programs[-1])
        return SimpleNamespace(
            findings=tuple(finding for finding in self.findings if finding.span.path in inside),
            problems=self.problems,
            statistics=Statistics(len(files), self.entry_points, {"index": 0.25}, {f"model{len(self.programs)}": 2}),
        )


def install(monkeypatch: pytest.MonkeyPatch) -> FakeEngine:
    """Put a fake engine and four fake rules in the place of the real ones."""
    engine = FakeEngine()
    replaced(monkeypatch, "check", check=engine.check, Statistics=Statistics)
    monkeypatch.setattr(leaklint.rule, "names", lambda: tuple(sorted(RULES)))
    monkeypatch.setattr(leaklint.rule, "load", _load)
    monkeypatch.setattr(leaklint.rule, "traits", _load)
    monkeypatch.setattr(leaklint.cache, "opened", lambda *_: None)
    return engine


def replaced(monkeypatch: pytest.MonkeyPatch, name: str, **members: object) -> None:
    """Replace the module `leaklint.<name>` by one with `members`."""
    module = ModuleType(f"leaklint.{name}")
    vars(module).update(members)
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setattr(leaklint, name, module, raising=False)


def finding(path: str = "app.py", line: int = 1, rule: str = "shared-attribute-write", **more: object) -> Finding:
    """A finding at columns 1 to 6 of a line."""
    family, severity, _ = RULES[rule]
    values: dict[str, object] = {
        "rule": rule,
        "family": family,
        "severity": severity,
        "confidence": Confidence.HIGH,
        "span": span(path, line),
        "message": "every request shares `x`",
    }
    return Finding(**{**values, **more})  # type: ignore[arg-type]


def span(path: str, line: int, column: int = 1, end_column: int = 6, end_line: int = 0) -> Span:
    return Span(path, line, column, end_line or line, end_column)


def write(root: Path, **files: str) -> None:
    """Write files; `__` in a name is a folder, and `.py` is added where there is no other ending."""
    for name, text in files.items():
        path = root / f"{name.replace('__', '/')}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")


def _load(name: str) -> SimpleNamespace:
    family, severity, fix = RULES[name]
    module = ModuleType(f"fake_rules_{name.replace('-', '_')}")
    module.__doc__ = PAGE.format(name=name)
    sys.modules[module.__name__] = module
    return SimpleNamespace(
        __module__=module.__name__, name=name, family=family, severity=severity, fix=fix, cwe=(488, 567), default=True
    )
