"""Imports that new code needs, and imports that an edit leaves unused."""

import libcst as cst
import pytest
from leaklint.codemods import Refused, imports
from leaklint.finding import Edit
from leaklint.syntax import Syntax

from pairs import apply


@pytest.mark.parametrize(
    ("before", "name", "after"),
    [
        ("x = 1\n", "uuid", "import uuid\n\nx = 1\n"),
        ("# licence\n\nx = 1\n", "uuid", "# licence\n\nimport uuid\n\nx = 1\n"),
        ('"""Doc."""\nx = 1\n', "uuid", '"""Doc."""\n\nimport uuid\nx = 1\n'),
        (
            '"""Doc."""\n\nfrom __future__ import annotations\n\nx = 1\n',
            "uuid",
            '"""Doc."""\n\nfrom __future__ import annotations\n\nimport uuid\n\nx = 1\n',
        ),
        ("import uuid\n", "uuid", "import uuid\n"),
        ("import uuid as u\n", "u", "import uuid as u\n"),
        ("import os, uuid\n", "uuid", "import os, uuid\n"),
        ("import os\nimport zlib\n", "uuid", "import os\nimport uuid\nimport zlib\n"),
        ("import os\nfrom abc import ABC\n", "uuid", "import os\nimport uuid\nfrom abc import ABC\n"),
        ("from abc import ABC\n", "uuid", "import uuid\nfrom abc import ABC\n"),
        ("import os\n\nimport click\n", "uuid", "import os\nimport uuid\n\nimport click\n"),
        ("import click\n", "uuid", "import uuid\n\nimport click\n"),
        ("import os\r\n\r\nx = 1\r\n", "uuid", "import os\r\nimport uuid\r\n\r\nx = 1\r\n"),
        ("import os", "uuid", "import os\nimport uuid"),
        ("", "uuid", "import uuid\n\n"),
        (
            "from __future__ import annotations\n\n# tools\nimport os  # c\n",
            "uuid",
            "from __future__ import annotations\n\n# tools\nimport os  # c\nimport uuid\n",
        ),
        ("if x:\n    import os\n", "uuid", "import uuid\n\nif x:\n    import os\n"),
        (
            "def f():\n    import uuid\n    uuid.uuid4()\n",
            "uuid",
            "import uuid\n\ndef f():\n    import uuid\n    uuid.uuid4()\n",
        ),
    ],
)
def test_a_module_is_imported_where_it_belongs(before: str, name: str, after: str) -> None:
    text, edits = imports.module(Syntax("a.py", before), "uuid")
    assert (text, apply(before, edits)) == (name, after)
    compile(after, "a.py", "exec")


@pytest.mark.parametrize(
    ("before", "name", "after"),
    [
        ("from dataclasses import field\n", "field", "from dataclasses import field\n"),
        ("from dataclasses import field as f\n", "f", "from dataclasses import field as f\n"),
        ("from dataclasses import dataclass\n", "field", "from dataclasses import dataclass, field\n"),
        ("from dataclasses import replace  # c\n", "field", "from dataclasses import field, replace  # c\n"),
        (
            "from dataclasses import (\n    dataclass,  # c\n    replace,\n)\n",
            "field",
            "from dataclasses import (\n    dataclass,  # c\n    field,\n    replace,\n)\n",
        ),
        (
            "from dataclasses import (\n    asdict,\n    dataclass,  # c\n)\n",
            "field",
            "from dataclasses import (\n    asdict,\n    dataclass,  # c\n    field,\n)\n",
        ),
        (
            "from dataclasses import (asdict, dataclass)\n",
            "field",
            "from dataclasses import (asdict, dataclass, field)\n",
        ),
        ("import os\n", "field", "import os\nfrom dataclasses import field\n"),
        (
            "import os\nfrom abc import ABC\n",
            "field",
            "import os\nfrom abc import ABC\nfrom dataclasses import field\n",
        ),
    ],
)
def test_a_name_joins_the_import_that_is_there(before: str, name: str, after: str) -> None:
    text, edits = imports.member(Syntax("a.py", before), "dataclasses", "field")
    assert (text, apply(before, edits)) == (name, after)


def test_a_name_of_a_relative_module_is_found() -> None:
    assert imports.member(Syntax("a.py", "from ..ids import current\n"), "..ids", "current") == ("current", [])


@pytest.mark.parametrize("text", ["uuid = 1\n", "def f(uuid): pass\n", "from x import uuid\n"])
def test_a_name_that_means_something_else_is_refused(text: str) -> None:
    with pytest.raises(Refused, match=r"`uuid` is the name of something else in a\.py"):
        imports.module(Syntax("a.py", text), "uuid")


@pytest.mark.parametrize(
    ("imported", "left"),
    [
        ("import gone\n", ""),
        ("import gone, kept\n", "import kept\n"),
        ("import kept, gone\n", "import kept\n"),
        ("from a import gone as other, kept\n", "from a import gone as other, kept\n"),
        ("from a import kept, gone\n", "from a import kept\n"),
        ("from a import (\n    gone,  # c\n    kept,\n)\n", "from a import (\n    kept,\n)\n"),
        ("from a import (\n    kept,\n    gone,\n)\n", "from a import (\n    kept,\n)\n"),
        ("from a import gone as gone\n", "from a import gone as gone\n"),
        ("import gone  # noqa: F401\n", "import gone  # noqa: F401\n"),
        ("from a import *\n", "from a import *\n"),
        ("from a import other as gone\n", ""),
    ],
)
def test_an_import_that_an_edit_leaves_unused_is_dropped(imported: str, left: str) -> None:
    assert dropped(f"{imported}x = gone.f(), kept\n") == f"{left}x = 0, kept\n"


@pytest.mark.parametrize(
    "rest",
    ["y = gone\n", 'y: "gone.T"\n', '__all__ = ["gone"]\n', "def f():\n    return gone\n", "@gone\ndef f(): pass\n"],
)
def test_an_import_that_is_still_used_stays(rest: str) -> None:
    assert dropped(f"import gone\nx = gone.f()\n{rest}") == f"import gone\nx = 0\n{rest}"


def test_a_comment_is_no_use_and_an_unrelated_unused_import_is_not_touched() -> None:
    assert dropped("import gone\nimport idle\nx = gone.f()  # gone\n") == "import idle\nx = 0  # gone\n"


def test_a_package_keeps_what_it_re_exports() -> None:
    assert dropped("import gone\nx = gone.f()\n", "a/__init__.py") == "import gone\nx = 0\n"


def dropped(text: str, path: str = "a.py") -> str:
    """The text with its first call replaced by 0, and without the imports that this leaves unused."""
    syntax = Syntax(path, text)
    call = next(node for node in syntax.walk(syntax.module) if isinstance(node, cst.Call))
    start, end = syntax.range(call)
    edits = [Edit(path, start, end, text[start:end], "0")]
    return apply(text, [*edits, *imports.unused(syntax, edits)])


def test_blank_lines_behind_a_dropped_import_stay_for_a_new_one() -> None:
    text = "import time\n\nimport click\n\nx = time.time()\n"
    syntax = Syntax("a.py", text)
    here, edits = imports.module(syntax, "abc")
    start = text.index("time.time()")
    edits.append(Edit("a.py", start, start + len("time.time()"), "time.time()", f"{here}.ABC"))
    assert apply(text, [*edits, *imports.unused(syntax, edits)]) == "import abc\n\nimport click\n\nx = abc.ABC\n"
