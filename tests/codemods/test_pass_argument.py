"""One more argument of a call, one more entry of a mapping that it passes, one more parameter."""

import libcst as cst
import pytest
from leaklint.codemods import parameter
from leaklint.codemods.pass_argument import has_form_of_its_own, pass_argument, send_entry
from leaklint.finding import Fix, Safety
from leaklint.syntax import Syntax

from pairs import apply, comments


def first_call(syntax: Syntax) -> cst.Call:
    return next(node for node in syntax.walk(syntax.module) if isinstance(node, cst.Call))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("f()", "f(rid=r)"),
        ("f( )", "f(rid=r )"),
        ("f(\n)", "f(rid=r\n)"),
        ("f(a)", "f(a, rid=r)"),
        ("f(a, )", "f(a, rid=r, )"),
        ("f((a))", "f((a), rid=r)"),
        ("f(a, b=1)", "f(a, b=1, rid=r)"),
        ("f(*a)", "f(*a, rid=r)"),
        ("f(a, **kw)", "f(a, rid=r, **kw)"),
        ("f(**kw)", "f(rid=r, **kw)"),
        ("f(x for x in y)", "f((x for x in y), rid=r)"),
        ("f(\n    a,\n    b,\n)", "f(\n    a,\n    b,\n    rid=r,\n)"),
        ("f(\n    a,\n    b\n)", "f(\n    a,\n    b,\n    rid=r\n)"),
        ("f(\n    a,\n    b,  # why\n)", "f(\n    a,\n    b,  # why\n    rid=r,\n)"),
        ("f(\n    a,\n    b  # why\n)", "f(\n    a,\n    b,  # why\n    rid=r\n)"),
        ("f(\n    a, b\n)", "f(\n    a, b, rid=r\n)"),
        ("f(a,\n  b)", "f(a,\n  b, rid=r)"),
        ("f(\n    a,\n    **kw,\n)", "f(\n    a,\n    rid=r,\n    **kw,\n)"),
        ("f(\n    **kw,\n)", "f(\n    rid=r,\n    **kw,\n)"),
        ("f(\r\n\ta,\r\n)", "f(\r\n\ta,\r\n\trid=r,\r\n)"),
        ("f(\n    a,\n    # last\n)", "f(\n    a,\n    rid=r,\n    # last\n)"),
        ('f("""\n""",)', 'f("""\n""", rid=r,)'),
        ("f(größe, 'ä')", "f(größe, 'ä', rid=r)"),
        ("f(a)(b)", "f(a)(b, rid=r)"),
    ],
)
def test_a_keyword_joins_the_layout_of_the_call(before: str, after: str) -> None:
    assert apply(before, pass_it(before).edits) == after
    assert comments(after) == comments(before)
    compile(after, "a.py", "exec")


def pass_it(text: str) -> Fix:
    syntax = Syntax("a.py", text)
    return pass_argument(syntax, first_call(syntax), "rid", "r")


def test_what_is_already_passed_is_refused() -> None:
    assert pass_it("f(a, rid=1)").refused == "`rid` is already passed at a.py:1"


@pytest.mark.parametrize(("text", "safety"), [("f(a)", Safety.SAFE), ("f(a, **kw)", Safety.SUGGESTED)])
def test_a_mapping_that_may_hold_the_name_makes_it_a_suggestion(text: str, safety: Safety) -> None:
    assert pass_it(text).safety is safety


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("get(u)", 'get(u, headers={"X-ID": rid})'),
        ("get(u, headers={})", 'get(u, headers={"X-ID": rid})'),
        ("get(u, headers=None)", 'get(u, headers={"X-ID": rid})'),
        ('get(u, headers={"a": b})', 'get(u, headers={"a": b, "X-ID": rid})'),
        ("get(u, headers={**a})", 'get(u, headers={**a, "X-ID": rid})'),
        (
            'get(\n    headers={\n        "a": b,  # c\n    },\n)',
            'get(\n    headers={\n        "a": b,  # c\n        "X-ID": rid,\n    },\n)',
        ),
        ("get(u, headers=h)", 'get(u, headers={**h, "X-ID": rid})'),
        ("get(u, headers=a | b)", 'get(u, headers={**(a | b), "X-ID": rid})'),
        ("get(u, headers=self._auth())", 'get(u, headers={**self._auth(), "X-ID": rid})'),
        (
            "def f(h=None):\n    return get(u, headers=h)",
            'def f(h=None):\n    return get(u, headers={**(h or {}), "X-ID": rid})',
        ),
        (
            "def f(h: dict | None):\n    get(u, headers=h)",
            'def f(h: dict | None):\n    get(u, headers={**(h or {}), "X-ID": rid})',
        ),
    ],
)
def test_an_entry_joins_the_mapping(before: str, after: str) -> None:
    syntax = Syntax("a.py", before)
    fix = send_entry(syntax, first_call(syntax), "headers", "X-ID", "rid")
    assert (apply(before, fix.edits), fix.safety) == (after, Safety.SUGGESTED)
    compile(after, "a.py", "exec")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('get(u, headers={"X-ID": 1})', "`X-ID` is already sent at a.py:1"),
        ("get(u, **kw)", "`headers` may already be in the mapping spread at a.py:1"),
    ],
)
def test_an_entry_that_is_there_is_refused(text: str, reason: str) -> None:
    syntax = Syntax("a.py", text)
    assert send_entry(syntax, first_call(syntax), "headers", "X-ID", "rid").refused == reason


@pytest.mark.parametrize(
    ("before", "positional", "after"),
    [
        ("def f(self): pass", True, "def f(self, x: int): pass"),
        ("def f(self, a: T[1]): pass", True, "def f(self, a: T[1], x: int): pass"),
        ("def f(self, a, /): pass", True, "def f(self, a, /, x: int): pass"),
        ("def f(self, a=(1)): pass", False, "def f(self, a=(1), *, x: int): pass"),
        ("def f(self, a=1, **k): pass", False, "def f(self, a=1, *, x: int, **k): pass"),
        ("def f(self, *a: int): pass", False, "def f(self, *a: int, x: int): pass"),
        ("def f(self, *, a): pass", False, "def f(self, *, a, x: int): pass"),
        ("def f(self, *, a=1, **k): pass", False, "def f(self, *, a=1, x: int, **k): pass"),
        ("def f(self, a): pass", False, "def f(self, a, x: int): pass"),
        ("def f(\n    self,\n    a,  # c\n): pass", True, "def f(\n    self,\n    a,  # c\n    x: int,\n): pass"),
        ("def f(\n    self, a=1\n): pass", False, "def f(\n    self, a=1, *, x: int\n): pass"),
    ],
)
def test_a_parameter_stands_where_the_signature_allows(before: str, positional: bool, after: str) -> None:
    syntax = Syntax("a.py", before)
    function = syntax.module.body[0]
    assert isinstance(function, cst.FunctionDef)
    edits = parameter.declared(syntax, function, "x: int", positional=positional)
    assert apply(before, edits) == after
    compile(after, "a.py", "exec")


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("def f(self): pass\nself.f()\n", True),
        ("def f(self, a): pass\nself.f(1)\n", True),
        ("def f(self, a): pass\nself.f(a=1)\n", False),
        ("def f(self, a): pass\nself.f(*a)\n", False),
        ("def f(self, a=1): pass\nself.f()\n", False),
        ("def f(self, *a): pass\nself.f()\n", False),
        ("def f(self, *, a): pass\nself.f(a=1)\n", False),
    ],
)
def test_a_parameter_is_positional_where_every_call_can_pass_it_so(text: str, answer: bool) -> None:
    syntax = Syntax("a.py", text)
    function = syntax.module.body[0]
    assert isinstance(function, cst.FunctionDef)
    assert parameter.by_position(function, [first_call(syntax)]) is answer


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("get(u)", 'get(u, headers={"X-ID": rid} if rid else None)'),
        ("get(u, headers=h)", 'get(u, headers={**h, **({"X-ID": rid} if rid else {})})'),
        ('get(u, headers={"a": b})', 'get(u, headers={"a": b, **({"X-ID": rid} if rid else {})})'),
    ],
)
def test_an_id_that_may_be_missing_is_sent_where_there_is_one(before: str, after: str) -> None:
    text = f"def f(u, rid=None):\n    {before}\n"
    syntax = Syntax("a.py", text)
    call = next(node for node in syntax.walk(syntax.module) if isinstance(node, cst.Call))
    assert (
        apply(text, send_entry(syntax, call, "headers", "X-ID", "rid").edits) == f"def f(u, rid=None):\n    {after}\n"
    )


@pytest.mark.parametrize(
    ("sibling", "call", "own"),
    [
        ('get(u, headers={"X-ID": rid})', "get(u)", False),
        ("get(u, headers=made(rid))", "get(u)", True),
        ("get(u, headers=made(rid))", 'get(u, headers={"A": a})', False),
        ('get(u, headers={**own, "X-ID": rid})', "get(u)", True),
        ('get(u, headers=[("X-ID", rid)])', 'get(u, headers={"A": a})', True),
        ('get(u, headers={"X-ID": {"value": rid}})', 'get(u, headers={"A": a})', True),
        ('given = {"value": rid}\n    get(u, headers={"X-ID": given})', 'get(u, headers={"A": a})', True),
    ],
)
def test_what_a_sibling_sends_in_a_form_of_its_own_is_no_entry(sibling: str, call: str, own: bool) -> None:
    syntax = Syntax("a.py", f"def f(u, rid):\n    {sibling}\n\ndef g(u, rid):\n    {call}\n")
    first, second = (
        node
        for node in syntax.walk(syntax.module)
        if isinstance(node, cst.Call) and isinstance(node.func, cst.Name) and node.func.value == "get"
    )
    assert has_form_of_its_own(syntax, first, second, "headers") is own
