"""Every framework's model is used by a program of its own: what is marked as an entry point or a leak is one, no more.

`# entry: label` behind the first line of a function (or of a script) says that requests run it, and what a trace calls
it; `# leak: rule` and lines without marks are as in all fixtures.
"""

from __future__ import annotations

import functools
import io
import re
import tokenize
from collections.abc import Callable, Iterator
from pathlib import Path

import marks
import pytest

import leaklint.project.link as link  # first: its parts import one another
from leaklint import indexing, models
from leaklint.config import Config
from leaklint.files import collect
from leaklint.index import summarise
from leaklint.index.summary import unpack
from leaklint.models import EntryModel
from leaklint.project import entries
from leaklint.project.state import Frame, State
from leaklint.project.values import Phase

ROWS_USED: set[int] = set()  # identities of the entry rows that made an entry point
FOLDERS = sorted(folder for folder in (marks.FIXTURES / "models").iterdir() if folder.is_dir())


def _named(folder: Path) -> str:
    return folder.name


@functools.cache
def _solved(folder: Path) -> link.Project:
    files, problems = collect(folder, Config(root=folder), [folder])
    assert not problems
    indexed = [(summarise(file.path, file.text, file.digest), file.text) for file in files]
    imported = {i.module.partition(".")[0] for summary, _ in indexed for i in summary.imports if not i.level}
    with indexing.roomy(), pytest.MonkeyPatch.context() as patched:
        patched.setattr(entries, "add", _noting(entries.add))
        return link.link(indexed, models.select(imported))


def _noting(add: Callable[..., None]) -> Callable[..., None]:
    """`add`, which also notes the rows it is called for: of several rows for one function only the first counts."""

    def noted(s: State, frame: Frame, entry: EntryModel, *rest: object) -> None:
        ROWS_USED.add(id(entry))
        add(s, frame, entry, *rest)

    return noted


def _entries(folder: Path) -> Iterator[tuple[str, int, str]]:
    """File, line and label of every entry point that was found, and of what is injected into one."""
    project = _solved(folder)
    for frame in {**dict.fromkeys(project.requests), **project.state.filled}:
        if frame.phase is Phase.REQUEST:
            label = frame.entry.label if frame.entry is not None else "dependency"
            yield frame.info.module.path, unpack(frame.info.function.head)[0], label


def _marked(folder: Path) -> Iterator[tuple[str, int, str]]:
    for file in sorted(folder.rglob("*.py")):
        for token in tokenize.generate_tokens(io.StringIO(file.read_text("utf-8")).readline):
            for label in re.findall(r"# entry:([^#]*)", token.string if token.type == tokenize.COMMENT else ""):
                yield file.relative_to(folder).as_posix(), token.start[0], label.strip()


@pytest.mark.parametrize("folder", FOLDERS, ids=_named)
def test_marked_functions_are_entry_points_and_all_others_are_not(folder: Path) -> None:
    assert sorted(set(_entries(folder))) == sorted(set(_marked(folder)))


@pytest.mark.parametrize("folder", FOLDERS, ids=_named)
def test_marked_lines_leak_and_all_others_are_silent(folder: Path) -> None:
    wrong = marks.differences(folder)
    assert not wrong, "\n" + "\n".join(wrong)


def test_every_model_has_a_folder() -> None:
    assert {folder.name for folder in FOLDERS} == set(models.shipped())


def test_every_way_to_register_is_used() -> None:
    scripts = {id(row) for folder in FOLDERS for row in _solved(folder).state.scripts.values()}
    used = ROWS_USED | scripts
    unused = [
        f"{name}: {row}" for name, model in models.shipped().items() for row in model.entry if id(row) not in used
    ]
    assert not unused, "\n" + "\n".join(unused)
