"""Which module of a program an import means."""

from __future__ import annotations

import pytest

from leaklint.index import summarise
from leaklint.project.program import Module, Program


def meant(files: dict[str, str], importer: str, name: str) -> str | None:
    """The path of the module that `import name` in a file means."""
    program = Program(tuple(Module(summarise(path, text), text) for path, text in sorted(files.items())))
    found = program.find(program.by_path[importer], name, 0)
    return found.path if found is not None else None


GRAPH = {
    "graph/typing.py": "",
    "graph/tools.py": "",
    "graph/version.py": "import typing\n",
    "graph/inner/__init__.py": "",
    "graph/inner/run.py": "from typing import Any\n",
    "app/main.py": "import typing\nfrom graph.inner import run\nfrom graph import tools\n",
}


@pytest.mark.parametrize("importer", ["graph/version.py", "graph/inner/run.py", "app/main.py"])
def test_the_standard_library_is_not_looked_for_in_packages_without_an_init(importer: str) -> None:
    assert meant(GRAPH, importer, "typing") is None
    assert meant(GRAPH, importer, "graph.typing") == "graph/typing.py"


def test_other_names_are_looked_for_beside_the_importer_and_in_other_folders() -> None:
    assert meant(GRAPH, "graph/version.py", "tools") == "graph/tools.py"
    assert meant(GRAPH, "app/main.py", "tools") == "graph/tools.py"


SCRIPTS = {
    "scripts/run.py": "import queue\n",
    "scripts/queue.py": "",
    "other/run.py": "import queue\n",
    "secrets.py": "",
}


def test_a_script_sees_what_lies_beside_it_before_the_standard_library() -> None:
    assert meant(SCRIPTS, "scripts/run.py", "queue") == "scripts/queue.py"
    assert meant(SCRIPTS, "other/run.py", "queue") is None
    assert meant(SCRIPTS, "other/run.py", "secrets") == "secrets.py"
