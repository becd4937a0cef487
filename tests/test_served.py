"""Only what can run in a process that takes requests is run, and nothing that a request meets is left out."""

from __future__ import annotations

from pathlib import Path

import marks
import pytest

import leaklint.project.link as link  # first: its parts import one another
from leaklint import indexing, models
from leaklint.config import Config
from leaklint.files import collect
from leaklint.index import summarise
from leaklint.project import served
from leaklint.project.program import Module, Program
from leaklint.project.values import Phase

FOLDERS = sorted(f for part in ("models", "apps") for f in (marks.FIXTURES / part).iterdir() if f.is_dir())

SHOP = {
    "shop/__init__.py": "",
    "shop/web.py": "from fastapi import FastAPI\nimport stock\napp = FastAPI()\n\n@app.get('/')\ndef index(): ...\n",
    "shop/plugins/__init__.py": "",
    "shop/plugins/mail.py": "import posting\n",
    "stock/__init__.py": "from stock import rows\n",
    "stock/rows.py": "ROWS = []\n",
    "stock/tool.py": "import report\n",
    "posting/__init__.py": "",
    "starter/__init__.py": "",
    "starter/main.py": "from shop.web import app\nimport settings\n",
    "settings/__init__.py": "",
    "report/__init__.py": "from stock import rows\n",
    "other/__init__.py": "from other import deep\n",
    "other/deep.py": "def run(): ...\n",
}


def _project(files: dict[str, str]) -> link.Project:
    indexed = [(summarise(path, text), text) for path, text in files.items()]
    imported = {i.module.partition(".")[0] for summary, _ in indexed for i in summary.imports if not i.level}
    with indexing.roomy():
        return link.link(indexed, models.select(imported))


def _run(files: dict[str, str]) -> set[str]:
    return {module.path for module in _project(files).state.module_frames}


def test_what_no_request_can_meet_is_not_run() -> None:
    left = {"stock/tool.py", "report/__init__.py", "other/__init__.py", "other/deep.py"}
    assert _run(SHOP) == SHOP.keys() - left


def test_all_is_run_where_no_requests_come_in() -> None:
    without = {**SHOP, "shop/web.py": "import stock\n"}
    assert _run(without) == SHOP.keys()


def test_all_is_run_where_what_looks_like_a_way_in_is_none() -> None:
    idle = {**SHOP, "shop/web.py": "from fastapi import FastAPI\nimport stock\n"}
    assert _run(idle) == SHOP.keys()


@pytest.mark.parametrize(
    ("text", "runs"),
    [
        ("class Transport:\n    def __call__(self, request): ...\n", True),
        ("class Transport:\n    def handle(self, request): ...\n", False),
        ("def process_request(request): ...\n", True),
        ("def sent(request): ...\n", False),
        ("from aiohttp.client import ClientSession\nClientSession().get('/', route=1)\n", False),
        ("from aiohttp.web_app import Application\nApplication()\n", True),
    ],
)
def test_what_clients_say_of_requests_is_no_way_in(text: str, runs: bool) -> None:
    django = {"shop/urls.py": "import django.urls\nimport aiohttp\n"}
    assert ("client/__init__.py" in _run({**SHOP, **django, "client/__init__.py": text})) is runs


def test_modules_that_lie_loose_belong_together() -> None:
    loose = {"web.py": SHOP["shop/web.py"], "cron.py": "x = 1\n", "tools/fill.py": "x = 1\n", "stock.py": ""}
    assert _run(loose) == loose.keys()
    package = {"other/__init__.py": "x = 1\n"}
    assert _run({**loose, **package}) == loose.keys()


def test_a_package_checked_from_within_is_one() -> None:
    indexed = [(summarise(path, text), text) for path, text in SHOP.items()]
    with indexing.roomy():
        project = link.link(indexed, models.select(["fastapi"]), package=("company",))
    assert {module.path for module in project.state.module_frames} == SHOP.keys()


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_every_way_in_is_known_by_its_module_alone(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files, _ = collect(folder, Config(root=folder), [folder])
    project = _project({file.path: file.text for file in files})
    taking = {frame.info.module for frame in project.state.entries if frame.phase is Phase.REQUEST}
    monkeypatch.setattr(served, "package_of", _alone)
    program, modules = project.program, project.program.modules
    assert taking <= served.served(program, project.state.models, modules).modules


MODEL = """
name = "Frame"
imports = ["frame", "older", "lent"]

[alias]
"older.App" = "frame.web.App"

[[entry]]
decorator = ["frame.web.App.on"]

[[entry]]
settings = ["FrameSettings"]
keyword = ["handlers"]

[[call]]
name = ["lent.app"]
gives = "instance"
type = "frame.web.App"
"""


@pytest.mark.parametrize(
    "way",
    [
        "from frame.web import App\napp = App()\n@app.on\ndef f(x): ...\n",
        "import frame\napp = frame.web.App()\n@app.on\ndef f(x): ...\n",
        "from older import App\napp = App()\n@app.on\ndef f(x): ...\n",
        "import lent\napp = lent.app()\n@app.on\ndef f(x): ...\n",
        "def f(x): ...\nclass FrameSettings:\n    handlers = [f]\n",
    ],
)
def test_a_way_in_by_a_model_of_ones_own(way: str) -> None:
    files = {"a/__init__.py": way, "b/__init__.py": "import frame.tools\n"}
    indexed = [(summarise(path, text), text) for path, text in files.items()]
    with indexing.roomy():
        project = link.link(indexed, models.select([], [models.parse(MODEL, "frame.toml")]))
    assert {module.path for module in project.state.module_frames} == {"a/__init__.py"}


def _alone(program: Program, module: Module) -> tuple[str, ...]:
    return module.parts
