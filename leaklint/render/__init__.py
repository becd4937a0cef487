"""A report to text in one of several formats: one module a format, each with `render(report, view) -> str`.

Nothing here judges, filters or writes: a renderer shows what the report holds, failures included.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, cast

from msgspec import Struct

from leaklint.errors import UserError, did_you_mean

if TYPE_CHECKING:
    from leaklint.run import Report

FORMATS = {"full": "frames", "concise": "concise", "json": "json"}
"""The name of each format, and the module of this package that renders it."""

FOR_PEOPLE = ("full", "concise")
"""The formats that do not have to hold a mistake in the call itself: people read that on stderr."""


class View(Struct, frozen=True):
    """How the user wants a report shown; `cwd` is what paths are shown relative to."""

    cwd: Path
    color: bool = False
    width: int = 120  # cells
    full_trace: bool = False
    statistics: bool = False
    quiet: bool = False  # findings and problems only


class Output(Struct, frozen=True):
    """One requested output: a format, and the file it goes to (None: standard output)."""

    format: str
    file: Path | None = None


class _Renderer(Protocol):
    def render(self, report: Report, view: View) -> str: ...


def outputs(requested: Sequence[str]) -> tuple[Output, ...]:
    """Parse `FORMAT` and `FORMAT:FILE`; at most one output goes to standard output. Raises UserError."""
    parsed = tuple(_output(item) for item in requested)
    if sum(output.file is None for output in parsed) > 1:
        raise UserError("two output formats want standard output", "send one to a file: `--output-format json:FILE`")
    return parsed


def render(format_name: str, report: Report, view: View) -> str:
    """The report in one of `FORMATS`, ending in a line end unless it is empty."""
    module = cast(_Renderer, importlib.import_module(f"leaklint.render.{FORMATS[format_name]}"))
    return module.render(report, view)


def shown_path(root: Path, view: View, path: str) -> str:
    """A path below `root` as the user sees it: relative to the working directory, with forward slashes."""
    if not path:
        return ""
    try:
        return Path(os.path.relpath(root / path, view.cwd)).as_posix()
    except ValueError:  # another drive
        return (root / path).as_posix()


def _output(item: str) -> Output:
    name, _, file = item.partition(":")
    if name not in FORMATS:
        raise UserError(f"unknown output format `{name}`", did_you_mean(name, FORMATS))
    if ":" in item and not file:
        raise UserError(f"no file after `{item}`", f"write `{name}:FILE`, or `{name}` for standard output")
    return Output(name, Path(file) if file else None)
