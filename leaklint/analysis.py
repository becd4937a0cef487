"""What the analysis of one program comes to, as plain frozen data that can be kept and handed on."""

from __future__ import annotations

from msgspec import Struct, field

from leaklint.finding import Finding, Problem


class Statistics(Struct, frozen=True):
    """What was analysed; `seconds` is wall time by stage."""

    files: int = 0
    cached_files: int = 0  # whose facts, or the findings that rest on them, an earlier run had left
    lines: int = 0
    functions: int = 0
    entry_points: int = 0
    resolved_calls: int = 0
    unresolved_calls: int = 0
    reached_functions: int = 0
    suspects: int = 0
    gave_up: int = 0
    seconds: dict[str, float] = field(default_factory=dict)
    models: dict[str, int] = field(default_factory=dict)  # loaded models, and the entry points each found


class Asked(Struct, frozen=True):
    """What was asked of files besides their code; where nobody has read that, it may change in everything else."""

    words: frozenset[str] = frozenset()  # that may be attributes
    parameters: frozenset[tuple[str, ...]] = frozenset()
    class_names: frozenset[str] = frozenset()
    heads: bool = False  # whether the heads of all classes were looked at
    texts: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {}  # by path what stands in each, and what does not
    quoted: dict[str, frozenset[str]] = {}  # by path the names of modules that may be quoted, where that was asked
    unread: frozenset[str] = frozenset()  # paths


class Analysis(Struct, frozen=True):
    """The outcome of one program."""

    findings: tuple[Finding, ...]
    problems: tuple[Problem, ...]
    statistics: Statistics
    consulted: frozenset[str] = frozenset()  # files that are named, or of which comments and layout mattered
    takes_requests: bool = False
    asked: Asked = Asked()


class Remembered(Struct, frozen=True):
    """An analysis, and the digests of the files it was made of, by path."""

    analysis: Analysis
    digests: tuple[tuple[str, str], ...]


def added(left: Statistics, right: Statistics) -> Statistics:
    """The statistics of two programs as those of both."""
    values: dict[str, object] = {}
    for name in left.__struct_fields__:
        one, other = getattr(left, name), getattr(right, name)
        if isinstance(one, dict):
            values[name] = {key: one.get(key, 0) + other.get(key, 0) for key in {**one, **other}}
        else:
            values[name] = one + other
    return type(left)(**values)  # type: ignore[arg-type]  # one value a field, as the loop goes over them
