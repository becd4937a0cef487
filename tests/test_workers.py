"""Several processes: that they change nothing, and are no trouble when they cannot start, die or are interrupted."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from fake_engine import write
from marks import FIXTURES
from msgspec.structs import replace

from leaklint import cache as caches
from leaklint import check, indexing, workers
from leaklint.analysis import Analysis
from leaklint.config import Config
from leaklint.files import SourceFile, collect
from leaklint.progress import silent

APP = FIXTURES / "apps" / "fit_check"


@pytest.fixture
def eager(monkeypatch: pytest.MonkeyPatch) -> None:
    """Processes are started for the smallest program."""
    monkeypatch.setattr(indexing, "_WORTHWHILE", 1)


def files() -> list[SourceFile]:
    found, _ = collect(APP, Config(APP))
    return [*found, SourceFile("zz_broken.py", "value = (\n", "0" * 32)]


def found(program: list[SourceFile], jobs: int) -> Analysis:
    analysis = check.check(program, Config(APP), silent, jobs=jobs)
    return replace(analysis, statistics=replace(analysis.statistics, seconds={}))


@pytest.mark.parametrize("forks", [True, False] if workers.FORKS else [False])
@pytest.mark.parametrize("jobs", [2, 3])
def test_the_number_of_processes_changes_nothing(
    eager: None, monkeypatch: pytest.MonkeyPatch, forks: bool, jobs: int
) -> None:
    monkeypatch.setattr(workers, "FORKS", forks)
    alone = found(files(), 1)
    assert alone.findings and alone.problems
    assert repr(found(files(), jobs)) == repr(alone)


def test_other_processes_keep_what_they_find(eager: None, tmp_path: Path) -> None:
    cache = caches.opened(APP, tmp_path / "kept")
    first = indexing.index(files(), cache, 3, silent)
    second = indexing.index(files(), cache, 1, silent)
    assert (first.cached, second.cached) == (0, len(files()) - 1)
    assert first.problems == second.problems
    assert [(summary.head, summary.code, text) for summary, text in first.modules] == [
        (summary.head, summary.code, text) for summary, text in second.modules
    ]


def test_a_process_that_dies_has_its_share_done_here() -> None:
    def dies(part: list[int]) -> list[int]:
        os._exit(9)

    def fails(part: list[int]) -> list[int]:
        raise ValueError(part)

    for there in (dies, fails) if workers.FORKS else ():
        assert workers.spread([[1], [2], [3]], lambda part: part, there, lambda part: [0]) == [[1], [2], [3]]


def test_an_error_is_met_here() -> None:
    def fails(part: list[int]) -> list[int]:
        raise ValueError(part)

    with pytest.raises(ValueError, match="1"):
        workers.spread([[1], [2]], fails, fails, list)
    assert not multiprocessing.active_children()


@pytest.mark.parametrize("broken", ["Pipe", "Process"])
def test_where_no_process_can_be_started_one_does_it_all(monkeypatch: pytest.MonkeyPatch, broken: str) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError("no more of them")

    context = type(multiprocessing.get_context("fork" if workers.FORKS else "spawn"))
    if broken == "Pipe":
        monkeypatch.setattr(context, "Pipe", refuse)
    else:
        monkeypatch.setattr(context.Process, "start", refuse)
    assert workers.spread([[1], [2]], lambda part: part, lambda part: part, lambda part: [0]) == [[1], [2]]


def test_shares_are_even_and_none_is_small() -> None:
    sizes = [5, 1, 9, 3, 3, 7]
    parts = workers.shares(list(range(6)), sizes, 2, 4)
    assert parts == [[2, 3, 4], [0, 1, 5]]
    assert [sum(sizes[item] for item in part) for part in parts] == [15, 13]
    assert workers.shares(list(range(6)), sizes, 2, 20) == [list(range(6))]
    assert workers.shares(list(range(6)), sizes, 1, 1) == [list(range(6))]
    assert workers.shares([], [], 4, 1) == [[]]


SLOW = """
import os, time
from leaklint import indexing
from leaklint.cli import main

def outcome(file):
    os.write(2, b"started\\n")
    time.sleep(60)

indexing._WORTHWHILE = 1
indexing._outcome = outcome
main()
"""


@pytest.mark.skipif(not workers.FORKS, reason="the slow work is not importable")
def test_an_interrupted_run_ends_at_once_and_leaves_no_process(tmp_path: Path) -> None:
    write(tmp_path, a="a = 1\n", b="b = 1\n", c="c = 1\n")
    environment = {**os.environ, "PYTHONPATH": str(Path(check.__file__).parent.parent)}
    command = [sys.executable, "-c", SLOW, "check", str(tmp_path), "--jobs", "3"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment, start_new_session=True)
    assert process.stderr is not None
    assert [process.stderr.readline() for _ in range(3)] == ["started\n"] * 3
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does
    assert process.wait(30) == 130
    assert process.stderr.read().strip() == "error: interrupted"
    deadline = time.monotonic() + 10
    while _is_there(process.pid) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not _is_there(process.pid)


def _is_there(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True
