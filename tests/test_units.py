"""What is solved apart from what: only code that is never in one process."""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

import leaklint.project.link as link  # first: its parts import one another
from leaklint import cache as caches
from leaklint import indexing, models, reuse, solving, workers
from leaklint.analysis import Analysis
from leaklint.cache import Cache
from leaklint.check import check
from leaklint.config import Config
from leaklint.files import SourceFile
from leaklint.index import summarise
from leaklint.project.program import Program
from leaklint.project.units import Unit, units

WEB = "from fastapi import FastAPI\napp = FastAPI()\nseen = {}\n"
ROUTE = """
@app.get('/')
def index(user: str):
    seen['last'] = user
    return page()


def page():
    return seen
"""

DESK = {
    "desk/__init__.py": "",
    "desk/web.py": f"from desk import rows\n{WEB}{ROUTE}",
    "desk/rows.py": "ROWS = []\n",
}
TILL = {
    "services/till/main.py": f"import money\n{WEB}{ROUTE}",
    "services/till/money.py": "COINS = []\n",
}
LIBRARY = {"other/__init__.py": "from other import deep\n", "other/deep.py": "def run(): ...\n"}
MIGRATION = {"migrations/0001.py": "from alembic import op\n"}
BOTH = {**DESK, **TILL, **LIBRARY, **MIGRATION}


def split(files: Mapping[str, str], package: tuple[str, ...] = ()) -> list[Unit]:
    indexed = [(summarise(path, text), text) for path, text in files.items()]
    imported = {i.module.partition(".")[0] for summary, _ in indexed for i in summary.imports if not i.level}
    loaded = models.select(imported)
    program = link.program_of(indexed, loaded, (), package)
    return list(units(program, loaded, link.own_modules(program, loaded, check_tests=False)))


def paths(unit: Unit) -> set[str]:
    return {module.path for module in unit.modules}


def test_programs_that_never_meet_are_solved_apart() -> None:
    desk, till = split({**DESK, **TILL, **LIBRARY})
    assert (paths(desk), paths(till)) == (DESK.keys(), TILL.keys())
    assert (desk.served, till.served) == (DESK.keys(), TILL.keys())


def test_one_program_is_all_that_lies_around_it() -> None:
    (unit,) = split({**DESK, **LIBRARY})
    assert paths(unit) == {*DESK, *LIBRARY}
    assert unit.served == DESK.keys()


def test_a_package_checked_from_within_is_one() -> None:
    (unit,) = split({**DESK, **TILL}, package=("company",))
    assert paths(unit) == {*DESK, *TILL}


@pytest.mark.parametrize(
    "bridge",
    [
        {"shop/__init__.py": "import desk.rows\nfrom services.till import money\n"},
        {"tests/test_all.py": "from desk import rows\nfrom services.till.money import COINS\n"},
        {"desk/late.py": "def late():\n    import services.till.money\n"},
        {"desk/late.py": "import services\n"},
        {"desk/late.py": "from services import till\n"},
        {"desk/late.py": "import_module('services.till.money')\n"},
        {"desk/late.py": "HOOK = 'services.till.money.COINS'\n"},
        {"desk/late.py": "run('services.till.main:app')\n"},
        {"desk/late.py": "def late(name):\n    import_module(f'services.till.{name}')\n"},
    ],
)
def test_what_may_bring_two_programs_together_keeps_them_together(bridge: dict[str, str]) -> None:
    (unit,) = split({**DESK, **TILL, **bridge})
    assert paths(unit) == {*DESK, *TILL, *bridge}


@pytest.mark.parametrize(
    "bridge",
    [
        {"other/__init__.py": "HOOKS = ['services.till.money', 'desk.rows']\n"},
        {"desk/late.py": "# services.till.money\nTEXT = 'see services.till.money'\n"},
        {"desk/late.py": '"""services.till.money"""\n'},
        {"desk/late.py": "import service\nfrom service.till import main\n"},
    ],
)
def test_what_no_request_can_follow_does_not(bridge: dict[str, str]) -> None:
    assert len(split({**DESK, **TILL, **bridge})) == 2


def test_files_that_a_framework_runs_by_name_are_in_one_process() -> None:
    page = "import streamlit as st\nimport helper\nst.write(helper.text())\n"
    pages = {f"pages_{at}/{name}": text for at in "ab" for name, text in {"page.py": page, "helper.py": ""}.items()}
    assert [pages.keys() <= paths(unit) for unit in split({**DESK, **pages})].count(True) == 1


def test_a_module_that_strays_is_seen_from_everywhere_and_run_nowhere_else() -> None:
    stray = {**MIGRATION, "tool.py": WEB + ROUTE}
    desk, till, own = split({**DESK, **TILL, **stray})
    assert [paths(desk), paths(till), paths(own)] == [{*DESK, *stray}, {*TILL, *stray}, stray.keys()]
    assert [desk.served, till.served, own.served] == [DESK.keys(), TILL.keys(), stray.keys()]


# --- what comes of it ------------------------------------------------------------------------------------------------


def found(files: Mapping[str, str], cache: Cache | None = None, jobs: int = 1, **settings: Any) -> Analysis:
    """The analysis, without what says how it came about."""
    sources = [SourceFile(path, text, caches.digest(text)) for path, text in files.items()]
    analysis = check(sources, Config(Path("/project"), **settings), cache=cache, jobs=jobs)
    return replace(analysis, statistics=replace(analysis.statistics, seconds={}, cached_files=0))


def test_apart_they_say_what_each_says_alone() -> None:
    desk, till, both = found(DESK), found(TILL), found({**DESK, **TILL, **LIBRARY})
    assert desk.findings and till.findings
    assert both.findings == (*desk.findings, *till.findings)
    assert both.statistics.entry_points == 2
    assert both.consulted == desk.consulted | till.consulted


def test_the_order_of_the_files_says_nothing() -> None:
    files = [*{**DESK, **TILL, **LIBRARY, **MIGRATION}.items()]
    first = found(dict(files))
    for seed in range(3):
        random.Random(seed).shuffle(files)
        assert found(dict(files)) == first


def test_all_is_solved_together_where_what_looks_like_a_way_in_is_none() -> None:
    calling = {**LIBRARY, "other/__init__.py": "from other import deep\ndeep.run()\n"}
    assert len(split({**IDLE, **calling})) == 2
    assert calls({**DESK, **TILL, **calling}) == calls({**DESK, **TILL})
    assert calls({**IDLE, **calling}) == calls(IDLE) + 1


def calls(files: Mapping[str, str]) -> int:
    """Calls in code that was run."""
    statistics = found(files).statistics
    return statistics.resolved_calls + statistics.unresolved_calls


# --- by several processes ---------------------------------------------------------------------------------------------


@pytest.fixture
def solved(monkeypatch: pytest.MonkeyPatch) -> list[set[str]]:
    """The paths of each program that was solved."""
    programs: list[set[str]] = []

    def spy(program: Program, near: frozenset[str], **rest: Any) -> Analysis:
        programs.append({*program.by_path})
        return solving.analysed(program, near, **rest)

    monkeypatch.setattr("leaklint.analysing.analysed", spy)
    return programs


def refuse(size: int) -> int:
    raise OSError("no pipes")


@pytest.fixture
def eager(monkeypatch: pytest.MonkeyPatch) -> None:
    """Processes are started for the smallest program."""
    monkeypatch.setattr(indexing, "_WORTHWHILE", 1)
    monkeypatch.setattr(workers, "_filled", refuse)  # so that each process has what is its own


IDLE = {path: text.replace("@app.get('/')\n", "") for path, text in {**DESK, **TILL}.items()}
BROKEN = {"desk/broken.py": "value = (\n", "services/broken.py": "value = (\n"}


@pytest.mark.parametrize("forks", [True, False] if workers.FORKS else [False])
@pytest.mark.parametrize("jobs", [2, 3, 7])
@pytest.mark.parametrize("files", [BOTH, DESK, IDLE, {**BOTH, **BROKEN}], ids=["two", "one", "none", "broken"])
def test_the_number_of_processes_changes_nothing(
    eager: None, monkeypatch: pytest.MonkeyPatch, files: dict[str, str], jobs: int, forks: bool
) -> None:
    monkeypatch.setattr(workers, "FORKS", forks)
    assert found(files, jobs=jobs) == found(files)
    turned = dict(reversed(files.items()))
    assert found(turned, jobs=jobs) == found(turned)


@pytest.mark.skipif(not workers.FORKS, reason="only this process solves")
def test_other_processes_solve_what_they_have_lowered(eager: None, solved: list[set[str]]) -> None:
    found({**DESK, **TILL}, jobs=2)
    assert len(solved) == 1


@pytest.mark.skipif(not workers.FORKS, reason="only this process solves")
@pytest.mark.parametrize("end", [lambda *_: os._exit(9), lambda *_: 1 / 0])
def test_what_another_process_fails_at_is_solved_here(
    eager: None, monkeypatch: pytest.MonkeyPatch, solved: list[set[str]], end: Callable[..., object]
) -> None:
    alone = found(BOTH)
    solved.clear()
    monkeypatch.setattr("leaklint.analysing._solver", end)
    assert found(BOTH, jobs=2) == alone
    assert len(solved) == 2


# --- what an earlier run has left ------------------------------------------------------------------------------------


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    kept = caches.opened(tmp_path, tmp_path / "kept")
    assert kept is not None
    return kept


def test_a_change_is_solved_in_its_own_unit(cache: Cache, solved: list[set[str]]) -> None:
    found(BOTH, cache)
    assert solved == [{*DESK, *MIGRATION}, {*TILL, *MIGRATION}]
    solved.clear()
    changed = {**BOTH, "desk/rows.py": "ROWS = {}\n"}
    warm = found(changed, cache)
    assert solved == [{*DESK, *MIGRATION}]
    assert warm == found(changed)


def test_a_change_of_what_no_request_meets_is_solved_nowhere(cache: Cache, solved: list[set[str]]) -> None:
    found(BOTH, cache)
    solved.clear()
    found({**BOTH, "other/deep.py": "def run(): return 1\n"}, cache)
    assert not solved
    found({**BOTH, "migrations/0001.py": "op.execute('unique')\n"}, cache)
    assert len(solved) == 2


def test_code_of_a_unit_that_is_recalled_is_not_read(cache: Cache, monkeypatch: pytest.MonkeyPatch) -> None:
    found(BOTH, cache)
    read: list[str] = []
    unpacked = reuse._code
    monkeypatch.setattr(reuse, "_code", lambda file, packed: read.append(file.path) or unpacked(file, packed))
    found({**BOTH, "desk/rows.py": "ROWS = {}\n"}, cache)
    assert {*read} == DESK.keys() - {"desk/rows.py"}


def test_other_settings_and_models_solve_anew(cache: Cache, solved: list[set[str]]) -> None:
    found(BOTH, cache)
    found(BOTH, cache, ids=("ticket",))
    found({**BOTH, "other/deep.py": "import flask\n"}, cache)
    assert len(solved) == 2 + 2 + 3


@pytest.mark.parametrize("seed", range(4))
def test_warm_and_cold_agree_whatever_joins_and_splits(
    eager: None, cache: Cache, solved: list[set[str]], seed: int
) -> None:
    chance = random.Random(seed)
    files = dict(BOTH)
    sizes = set()
    for _ in range(25):
        chance.choice(EDITS)(files, chance)
        sizes.add(len(split(files)))
        cold = found(files)
        solved.clear()
        jobs = chance.randrange(1, 4)
        assert found(files, cache, jobs) == cold
        if jobs == 1:
            sizes.add("some" if len(solved) < len(split(files)) else "none")
    assert {1, 2, "some", "none"} <= sizes


def _comment(files: dict[str, str], chance: random.Random) -> None:
    path = chance.choice([*files])
    files[path] = f"# a remark\n{files[path]}"


def _statement(files: dict[str, str], chance: random.Random) -> None:
    files[chance.choice([*files])] += f"extra_{chance.randrange(3)} = {{}}\n"


def _joined(files: dict[str, str], chance: random.Random) -> None:
    files["desk/late.py"] = chance.choice(["import services.till.money\n", "HOOK = 'services.till.money'\n"])


def _apart(files: dict[str, str], chance: random.Random) -> None:
    files.pop("desk/late.py", None)


def _added(files: dict[str, str], chance: random.Random) -> None:
    name = chance.choice(["third/__init__.py", "desk/more.py", "services/bar/main.py", "tool.py", "migrations/0002.py"])
    files[name] = chance.choice([WEB + ROUTE, "from desk import rows\n", "x = 1\n"])


def _removed(files: dict[str, str], chance: random.Random) -> None:
    if len(files) > len(DESK):
        del files[chance.choice([*files])]


def _restored(files: dict[str, str], chance: random.Random) -> None:
    files.update(BOTH)


EDITS = (_comment, _statement, _joined, _apart, _apart, _added, _removed, _restored)
