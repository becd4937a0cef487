"""The head of a summary against the code that was lowered from the same text."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from leaklint.index import parse, summarise
from leaklint.index.summary import Bind, Code, How, Imported, Kind, attributes

OWN = sorted((Path(__file__).parent.parent / "leaklint").rglob("*.py"))

ODD = """
import a.b as c, d
from . import e
from ..f import (  # why
    g as h,
)

def first(one, /, two, *rest, three, **more):
    if one:
        import late
        return one . \\
            attribute
    return (one.  # so it goes on
            # and on
            another)

class Outer(first.Base, metaclass=Meta):
    try:
        def method(self, name): return getattr(self, "quoted")
    except* E:
        class Inner(Generic[T]): ...
    else:
        async def later(self): return f"{self.in_text}"

match one:
    case Outer(name=x) if x.guard:
        def in_case(case): ...

with one as two.target, three:
    del four.deleted
    key = lambda scope, receive : scope.read
    key = lambda: 0
ﬁne = x.ﬁne
"""


@pytest.mark.parametrize("text", [ODD, "", *(path.read_text("utf-8") for path in OWN)], ids=lambda text: text[:30])
def test_the_head_lacks_nothing_of_the_code(text: str) -> None:
    summary = summarise("a.py", text)
    head, code = summary.head, summary.code
    assert head.words >= attributes(code)
    assert {(i.module.partition(".")[0] if not i.name else i.module, i.name, i.level) for i in head.imports} >= {
        (op.value.module.partition(".")[0] if not op.value.name else op.value.module, op.value.name, op.value.level)
        for function in code.functions
        for op in function.ops
        if isinstance(op, Bind) and op.how is How.IMPORT and isinstance(op.value, Imported)
    }
    defined = [f for f in code.functions if f.kind is Kind.FUNCTION]
    assert head.count == len(defined)
    for function in defined:
        names = tuple(param.name for param in function.params)
        assert (function.name, *names) in head.signatures
        assert function.owner < 0 or (function.name, *names[1:]) in head.signatures
    assert {name for name, *_ in head.classes} == {one.name for one in code.classes}


def test_what_stands_where() -> None:
    head = summarise("a.py", ODD, "1").head
    assert (head.path, head.digest, head.lines, head.count) == ("a.py", "1", ODD.count("\n") + 1, 4)
    assert head.imports == (
        Imported("a.b", "", 0),
        Imported("d", "", 0),
        Imported("", "e", 1),
        Imported("f", "g", 2),
        Imported("late", "", 0),
    )
    assert head.words >= {"attribute", "another", "quoted", "in_text", "guard", "target", "deleted", "read", "fine"}
    assert ("first", "one", "two", "rest", "three", "more") in head.signatures
    methods = {("method", "self", "name"), ("method", "name")}
    assert methods | {("in_case", "case"), ("<lambda>", "scope", "receive")} <= head.signatures
    assert head.classes == {("Outer", "Base", "first", "Meta"), ("Inner", "Generic", "T")}


def test_a_tree_that_is_not_kept_is_parsed_again() -> None:
    kept, parsed = summarise("odd.py", ODD), summarise("odd.py", ODD, keep=False)
    assert not kept.is_read and not parsed.is_read
    assert kept.code == parsed.code and kept.head == parsed.head
    assert kept.is_read and not kept.code.failed


@pytest.mark.parametrize(
    ("path", "text", "namesake"),
    [
        ("project/celery.py", "from celery import Celery\n", True),
        ("project/celery.py", "import celery.schedules\n", True),
        ("project/celery.py", "from celery import Celery\n\nclass Celery: ...\n", False),
        ("project/celery.py", "from .celery import Celery\n", False),
        ("project/celery/__init__.py", "from celery import Celery\n", False),
        ("project/tasks.py", "from celery import Celery\n", False),
    ],
)
def test_a_file_that_imports_its_own_name_is_named_for_something_else(path: str, text: str, namesake: bool) -> None:
    assert summarise(path, text).head.namesake is namesake


def test_code_that_nests_too_deeply_to_be_lowered_is_empty_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    lower = parse.lower

    def deep(tree: ast.Module) -> Code:
        if tree.body:
            raise RecursionError
        return lower(tree)

    monkeypatch.setattr(parse, "lower", deep)
    code = summarise("a.py", "def f(): ...\n").code
    assert code.failed == "nested too deeply to analyse"
    assert [function.kind for function in code.functions] == [Kind.MODULE] and not code.classes
