"""Ids that do not identify, to ids that do. `<<` and `>>` in a text enclose the node that the conversion is given."""

from collections.abc import Callable

import libcst as cst
import pytest
from leaklint.codemods.identity import (
    forget,
    fresh_default,
    fresh_fallback,
    generate_at_use,
    generate_inside,
    give_id,
    give_session_id,
    untried,
)
from leaklint.codemods.replace_expression import replace_expression
from leaklint.finding import Fix, Safety
from leaklint.syntax import Files, Syntax

from pairs import apply, comments


def marked(text: str, kind: type[cst.CSTNode] | None = None) -> tuple[Syntax, cst.CSTNode]:
    """The file without its marks, and the node between them: as for a finding, or the outermost one of the kind."""
    start, end = text.index("<<"), text.index(">>") - 2
    syntax = Syntax("a.py", text.replace("<<", "").replace(">>", ""))
    nodes = [node for node in syntax.walk(syntax.module) if kind is None or isinstance(node, kind)]
    if kind is cst.Param:  # whose range is that of its name
        return syntax, next(node for node in nodes if syntax.range(node)[0] == start)
    span = syntax.span(next(node for node in nodes if syntax.range(node) == (start, end)))
    return syntax, syntax.node_at(span) if kind is None else syntax.node_at(span, kind)


def converted(syntax: Syntax, fix: Fix) -> str:
    assert fix.refused == ""
    after = apply(syntax.text, fix.edits)
    compile(after, "a.py", "exec")
    assert comments(after) >= comments(syntax.text)
    return after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('import uuid\nsession_id = <<"1">>  # c\n', "import uuid\nsession_id = str(uuid.uuid4())  # c\n"),
        ('<<session_id = "1">>\n', "import uuid\n\nsession_id = str(uuid.uuid4())\n"),
        ('<<session_id: str = "1">>\n', "import uuid\n\nsession_id: str = str(uuid.uuid4())\n"),
        (
            'import uuid as u\nf({"thread_id": <<"1">>})\n',
            'import uuid as u\nf({"thread_id": str(u.uuid4())})\n',
        ),
        ('from uuid import uuid4\nf(<<thread_id="1">>)\n', "from uuid import uuid4\nf(thread_id=str(uuid4()))\n"),
        ('def f(uuid):\n    return <<"1">>\n', "from uuid import uuid4\n\ndef f(uuid):\n    return str(uuid4())\n"),
        (
            'import random\nimport uuid\nx = <<f"guest_{random.randint(1, 9)}">>\n',
            'import uuid\nx = f"guest_{uuid.uuid4()}"\n',
        ),
        (
            'import time\nx = <<f"session_{hash(str(time.time()))}">>, time.time()\n',
            'import time\nimport uuid\nx = f"session_{uuid.uuid4()}", time.time()\n',
        ),
        ('x = <<f"{a}@{b}">>\n', "import uuid\n\nx = str(uuid.uuid4())\n"),
        ('x = <<f"{a!r:>9}">>\n', "import uuid\n\nx = str(uuid.uuid4())\n"),
        ("import uuid\nx = <<uuid.uuid4().hex[:4]>>\n", "import uuid\nx = uuid.uuid4().hex\n"),
        ("import uuid\nx = <<str(uuid.uuid4())[0]>>\n", "import uuid\nx = str(uuid.uuid4())\n"),
        ("x = <<id(request)>>\r\n", "import uuid\r\n\r\nx = str(uuid.uuid4())\r\n"),
    ],
)
def test_a_value_becomes_a_fresh_id(before: str, after: str) -> None:
    syntax, node = marked(before)
    assert converted(syntax, give_id(syntax, node)) == after


@pytest.mark.parametrize(
    ("before", "reason"),
    [
        ('def f():\n    return rooms[<<"a">>].said\n', "nothing is kept under a fresh id: a.py:2"),
        ('def f():\n    rooms[<<"a">>] = 1\n    g("a")\n', '"a" is said twice, and one id is needed: a.py:3'),
        (
            'def f():\n    g({"thread_id": <<"1">>})\n    h({"thread_id": "1"})\n',
            '"1" is said twice, and one id is needed: a.py:3',
        ),
    ],
)
def test_a_fresh_id_that_finds_nothing_is_refused(before: str, reason: str) -> None:
    syntax, node = marked(before)
    assert (give_id(syntax, node).refused, give_id(syntax, node).edits) == (reason, ())


@pytest.mark.parametrize(
    ("before", "expression", "used"),
    [
        ('def f(session_id):\n    return session_id or <<"a">>\n', "session_id", ""),
        ('def f(request):\n    return request.id or <<"a">>\n', "request.id", ""),
        ('def f(request, name):\n    return name or <<"a">>\n', "request.id", "request.id"),
    ],
)
def test_an_id_that_was_asked_for_is_no_fallback(before: str, expression: str, used: str) -> None:
    syntax, node = marked(before)
    assert untried(syntax, node, expression) == used


def test_a_value_becomes_the_id_in_scope() -> None:
    syntax, node = marked('def f(session_id):\n    g(config={"thread_id": <<"1">>})\n')
    fix = give_id(syntax, node, "session_id")
    assert converted(syntax, fix) == 'def f(session_id):\n    g(config={"thread_id": session_id})\n'
    assert fix.title == "Use `session_id`"


@pytest.mark.parametrize(
    ("template", "before", "after"),
    [
        (
            'streamlit.session_state.setdefault("{name}", {fresh})',
            'import streamlit as st\nCONFIG = {"thread_id": <<"1">>}\n',
            "import uuid\n\nimport streamlit as st\n"
            'CONFIG = {"thread_id": st.session_state.setdefault("thread_id", str(uuid.uuid4()))}\n',
        ),
        (
            'chainlit.user_session.get("id")',
            'import chainlit\ng(thread_id=<<"1">>)\n',
            'import chainlit\ng(thread_id=chainlit.user_session.get("id"))\n',
        ),
    ],
)
def test_a_value_becomes_the_id_that_the_framework_keeps(template: str, before: str, after: str) -> None:
    syntax, node = marked(before)
    fix = give_session_id(syntax, node, "thread_id", template)
    assert converted(syntax, fix) == after
    assert fix.safety is Safety.SUGGESTED


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('import uuid\nx = <<a or b or "default">>\n', "import uuid\nx = a or b or str(uuid.uuid4())\n"),
        ('import uuid\n<<x = a or "default">>\n', "import uuid\nx = a or str(uuid.uuid4())\n"),
        ('import uuid\nx = <<d.get("s", "default")>>\n', 'import uuid\nx = d.get("s", str(uuid.uuid4()))\n'),
        (
            'import uuid\nx = <<getattr(d, "s", "default")>>\n',
            'import uuid\nx = getattr(d, "s", str(uuid.uuid4()))\n',
        ),
        ('import uuid\nx = <<a if a else "default">>\n', "import uuid\nx = a if a else str(uuid.uuid4())\n"),
        (
            'import uuid\nx = <<"default" if a is None else a>>\n',
            "import uuid\nx = str(uuid.uuid4()) if a is None else a\n",
        ),
        (
            'import uuid\nif a:\n    pass\nelse:\n    <<x = "default">>\n',
            "import uuid\nif a:\n    pass\nelse:\n    x = str(uuid.uuid4())\n",
        ),
        (
            'import uuid\ndef f(a, s: str = <<"default">>):\n    """Doc."""\n    g(s)\n',
            'import uuid\ndef f(a, s: str | None = None):\n    """Doc."""\n    if s is None:\n'
            "        s = str(uuid.uuid4())\n    g(s)\n",
        ),
    ],
)
def test_a_constant_fallback_becomes_a_fresh_id(before: str, after: str) -> None:
    syntax, node = marked(before)
    fix = fresh_fallback(syntax, node)
    assert (converted(syntax, fix), fix.safety) == (after, Safety.SUGGESTED)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            "def f(a, <<s=uuid.uuid4().hex>>):\n\n    # why\n    return s\n",
            "def f(a, s=None):\n\n    if s is None:\n        s = uuid.uuid4().hex\n    # why\n    return s\n",
        ),
        (
            "from typing import Optional\ndef f(<<s: str = make()>>):\n    return s\n",
            "from typing import Optional\ndef f(s: Optional[str] = None):\n"
            "    if s is None:\n        s = make()\n    return s\n",
        ),
        (
            "class A:\n\tasync def f(self, *, <<s: 'str' = make()>>, **k):\n\t\t'''Doc.'''\n",
            "class A:\n\tasync def f(self, *, s: 'str | None' = None, **k):\n\t\t'''Doc.'''\n"
            "\t\tif s is None:\n\t\t\ts = make()\n",
        ),
        (
            "def f(\r\n    <<s: str | None = make()>>,  # c\r\n):\r\n    return s\r\n",
            "def f(\r\n    s: str | None = None,  # c\r\n):\r\n    if s is None:\r\n"
            "        s = make()\r\n    return s\r\n",
        ),
    ],
)
def test_a_default_is_made_inside_of_the_function(before: str, after: str) -> None:
    syntax, node = marked(before, cst.Param)
    assert isinstance(node, cst.Param)
    assert converted(syntax, generate_inside(syntax, node)) == after
    assert node.default is not None
    assert generate_inside(syntax, node.default) == generate_inside(syntax, node)


@pytest.mark.parametrize("text", ["f = lambda <<s=make()>>: s\n", "def f(<<s=make()>>): return s\n"])
def test_a_function_without_a_block_is_refused(text: str) -> None:
    syntax, node = marked(text, cst.Param)
    assert isinstance(node, cst.Param)
    assert generate_inside(syntax, node).refused == "the function has no body to make it in at a.py:1"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            "from dataclasses import dataclass\n@dataclass\nclass A:\n    <<s: str = str(uuid.uuid4())>>  # c\n",
            "from dataclasses import dataclass, field\n@dataclass\nclass A:\n"
            "    s: str = field(default_factory=lambda: str(uuid.uuid4()))  # c\n",
        ),
        (
            "from dataclasses import field\nclass A:\n    <<s: UUID = uuid.uuid4()>>\n",
            "from dataclasses import field\nclass A:\n    s: UUID = field(default_factory=uuid.uuid4)\n",
        ),
        (
            "from dataclasses import field\nclass A:\n    <<s: list[str] = []>>\n",
            "from dataclasses import field\nclass A:\n    s: list[str] = field(default_factory=list)\n",
        ),
        (
            "from dataclasses import field\nclass A:\n    <<s: str = field(default=make(1), repr=False)>>\n",
            "from dataclasses import field\nclass A:\n"
            "    s: str = field(default_factory=lambda: make(1), repr=False)\n",
        ),
    ],
)
def test_the_default_of_a_field_becomes_a_factory(before: str, after: str) -> None:
    syntax, node = marked(before, cst.AnnAssign)
    assert isinstance(node, cst.AnnAssign)
    fix = fresh_default(syntax, node, "default_factory", "dataclasses.field")
    assert converted(syntax, fix) == after
    assert node.value is not None
    assert fresh_default(syntax, node.value, "default_factory", "dataclasses.field") == fix


def test_the_factory_may_be_that_of_a_library() -> None:
    syntax, node = marked("from lib import Model\nclass A(Model):\n    <<s: str = make(1)>>\n", cst.AnnAssign)
    assert isinstance(node, cst.AnnAssign)
    after = converted(syntax, fresh_default(syntax, node, "default_factory", "lib.Field"))
    assert (
        after == "from lib import Field, Model\nclass A(Model):\n    s: str = Field(default_factory=lambda: make(1))\n"
    )


def constant_of(text: str, **others: str) -> Callable[[], tuple[Syntax, Fix]]:
    def convert() -> tuple[Syntax, Fix]:
        files = Files({"a.py": text, **{f"{name}.py": other for name, other in others.items()}})
        syntax = files["a.py"]
        constant = next(node for node in syntax.walk(syntax.module) if isinstance(node, cst.Assign))
        return syntax, generate_at_use(syntax, constant, files)

    return convert


def test_a_constant_is_made_where_it_is_used() -> None:
    syntax, fix = constant_of('import uuid\n\nS = f"lounge_{uuid.uuid4()}"\n\ndef f():\n    return g(S)\n')()
    assert converted(syntax, fix) == 'import uuid\n\ndef f():\n    return g(f"lounge_{uuid.uuid4()}")\n'


@pytest.mark.parametrize(
    ("convert", "reason"),
    [
        (
            constant_of("S = make()\ndef f():\n    return S, S\n"),
            "one function uses `S` twice, and needs one id: a.py:3",
        ),
        (constant_of("S = make()\nprint(S)\n"), "`S` is not used in functions alone: a.py:1"),
        (constant_of("S = make()\ndef f():\n    return S\n", b="from a import S\n"), "`S` is used in b.py too"),
        (constant_of("S = make()\ndef f():\n    global S\n"), "`S` is set anew: a.py:3"),
    ],
)
def test_a_constant_whose_uses_are_not_apart_is_refused(convert: Callable[[], tuple[Syntax, Fix]], reason: str) -> None:
    assert convert()[1].refused == reason


REMEMBERED = "from functools import lru_cache\n\n\n# ids\n@lru_cache(maxsize=1)\n@other\ndef f():\n    return make()\n"


def remembered(**others: str) -> tuple[Syntax, Fix]:
    files = Files({"a.py": REMEMBERED, **{f"{name}.py": other for name, other in others.items()}})
    syntax = files["a.py"]
    decorator = next(node for node in syntax.walk(syntax.module) if isinstance(node, cst.Decorator))
    return syntax, forget(syntax, decorator, files)


def test_a_remembered_id_is_made_anew() -> None:
    assert converted(*remembered()) == "# ids\n@other\ndef f():\n    return make()\n"


def test_a_memory_that_is_cleared_somewhere_is_refused() -> None:
    assert remembered(b="import a\na.f.cache_clear()\n")[1].refused == "`f.cache_clear` is used in b.py"


@pytest.mark.parametrize(
    ("before", "expression", "after"),
    [
        (
            "from ids import current\n\nx = f(<<current()>>)  # c\n",
            "session_id",
            "x = f(session_id)  # c\n",
        ),
        (
            "from ids import current\n\nx = <<current()>>\n",
            "resolve(opts)",
            "from ids import resolve\n\nx = resolve(opts)\n",
        ),
        (
            "from ids import current, resolve as r\n\nx = <<current()>>\n",
            "resolve(opts)",
            "from ids import resolve as r\n\nx = r(opts)\n",
        ),
        ("x = <<current()>>.upper()\n", "a or b", "x = (a or b).upper()\n"),
        ("x = <<current()>>\n", "a or b", "x = a or b\n"),
        ("x = f(<<current()>>)\n", "a or b", "x = f(a or b)\n"),
    ],
)
def test_an_ambient_value_is_replaced(before: str, expression: str, after: str) -> None:
    syntax, node = marked(before, cst.Call)
    assert isinstance(node, cst.Call)
    needs = ("ids", "resolve") if "resolve(" in expression else None
    fix = replace_expression(syntax, node, expression, safety=Safety.SAFE, needs=needs)
    assert converted(syntax, fix) == after


@pytest.mark.parametrize("value", ["owner", "owner.account.id"])
def test_what_the_callers_say_is_not_made_anew(value: str) -> None:
    syntax, node = marked(f"def adopt(pet, owner):\n    pet.owner_id = <<{value}>>\n", cst.BaseExpression)
    fix = give_id(syntax, node)
    assert (fix.edits, fix.refused) == ((), f"`{value}` comes from the callers: a.py:2")
