"""Several processes: that they change nothing, and are no trouble when they cannot start, die or are interrupted."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

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

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

APP = FIXTURES / "apps" / "fit_check"


def refuse(size: int) -> int:
    raise OSError("no pipes, so that each process has what is its own")


@pytest.fixture
def eager(monkeypatch: pytest.MonkeyPatch) -> None:
    """Processes are started for the smallest program."""
    monkeypatch.setattr(indexing, "_WORTHWHILE", 1)
    monkeypatch.setattr(workers, "_filled", refuse)


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
    assert found(files(), jobs) == alone


@pytest.mark.skipif(not workers.FORKS, reason="only copies of a process take from one another")
@pytest.mark.parametrize("jobs", [2, 3])
def test_who_takes_which_files_changes_nothing(monkeypatch: pytest.MonkeyPatch, jobs: int) -> None:
    alone = found(files(), 1)
    monkeypatch.setattr(indexing, "_WORTHWHILE", 1)
    monkeypatch.setattr(indexing, "_PIECE", 1)
    assert found(files(), jobs) == alone


@pytest.mark.skipif(not workers.FORKS, reason="only copies of a process take from one another")
def test_each_piece_is_taken_once_and_ones_own_come_first() -> None:
    piles = workers.Piles([3, 2, workers.PIECES])
    first, other = piles.take(1), piles.take(0)
    assert [next(first), next(other), next(first)] == [(1, 0), (0, 0), (1, 1)]
    assert sorted([*first, *other]) == [(0, 1), (0, 2), *((2, number) for number in range(workers.PIECES))]
    piles.close()


def test_where_there_are_no_pipes_each_process_takes_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "_filled", refuse)
    piles = workers.Piles([3, 2])
    assert [*piles.take(0)] == [(0, 0), (0, 1), (0, 2)] and [*piles.take(1)] == [(1, 0), (1, 1)]
    piles.close()


def test_other_processes_keep_what_they_find(eager: None, tmp_path: Path) -> None:
    cache = caches.opened(APP, tmp_path / "kept")
    assert cache is not None
    with indexing.indexed(files(), cache, 3, silent, list) as first:
        read = [(summary.head, summary.code, text) for summary, text in first.modules[::2]]
        indexing.keep(cache, first)
    with indexing.indexed(files(), cache, 1, silent, list) as second:
        assert (len(first.kept), len(second.kept)) == (0, len(files()) - 1)
        assert (len(first.elsewhere), len(second.elsewhere)) == (2, 0)
        assert first.problems == second.problems
        assert {path for path, kept in second.kept.items() if kept.is_whole} == {head.path for head, _, _ in read}
        assert [(summary.head, summary.code, text) for summary, text in second.modules[::2]] == read


def echo(connection: Connection, first: object) -> None:
    connection.send(("first", first))
    while True:
        question, how = connection.recv()
        if how == "die":
            os._exit(9)
        connection.send((question, 1 / how))


def test_a_process_answers_until_it_dies_or_fails() -> None:
    with workers.team(echo, [(1,), (2,), (3,)]) as team:
        assert [worker and worker.answer("first") for worker in team] == [(1,), (2,), (3,)]
        one, other, third = filter(None, team)
        for worker, how in ((one, 4), (other, "die"), (third, 0)):
            worker.ask("half", 2)
            worker.ask("next", how)
        assert [worker.answer("half") for worker in (one, other, third)] == [(0.5,)] * 3
        assert [worker.answer("next") for worker in (one, other, third)] == [(0.25,), None, None]
        other.ask("more", 1)
        assert other.answer("more") is None
    assert not multiprocessing.active_children()


@pytest.mark.parametrize("broken", ["Pipe", "Process"])
def test_where_no_process_can_be_started_one_does_it_all(
    eager: None, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError("no more of them")

    alone = found(files(), 1)
    context = type(multiprocessing.get_context("fork" if workers.FORKS else "spawn"))
    if broken == "Pipe":
        monkeypatch.setattr(context, "Pipe", refuse)
    else:
        monkeypatch.setattr(context.Process, "start", refuse)
    assert found(files(), 3) == alone


def test_shares_are_even_and_keep_folders_together() -> None:
    sizes = {"a/x.py": 5, "a/y.py": 1, "b/x.py": 3, "b/y.py": 3, "c.py": 4, "d/e/x.py": 4, "d/e/y.py": 4}
    for jobs, least, expected in [
        (2, 4, [[4, 5, 6], [0, 1, 2, 3]]),
        (2, 20, [[*range(7)]]),
        (1, 1, [[*range(7)]]),
    ]:
        assert workers.shares([*sizes.items()], jobs, least) == expected
    assert workers.shares([], 4, 1) == [[]]
    one = [(f"app/part_{at % 3}/m{at}.py", 10 + at) for at in range(30)]
    for jobs in (2, 3, 4):
        loads = [sum(one[at][1] for at in part) for part in workers.shares(one, jobs, 1)]
        assert len(loads) == jobs and max(loads) <= 1.05 * sum(loads) / jobs


SLOW = """
import os, time
from leaklint import indexing
from leaklint.cli import main

def outcome(file, keep):
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
