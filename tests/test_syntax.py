"""A file as LibCST sees it: every range is the text's, and a rewrite touches nothing else."""

import ast
import bdb
import codeop
import queue
import sys
import timeit
from collections.abc import Sequence
from pathlib import Path

import libcst as cst
import pytest

from leaklint.finding import Edit, Span
from leaklint.syntax import REMOVE, Files, NotAnalysed, Syntax, in_order, roomy


def applied(text: str, edits: Sequence[Edit]) -> str:
    for edit in reversed(edits):
        assert text[edit.start : edit.end] == edit.expected
        text = text[: edit.start] + edit.replacement + text[edit.end :]
    return text


def node(syntax: Syntax, code: str) -> cst.CSTNode:
    """The innermost node whose text is `code`, the first one of several in the text."""
    names = (cst.BaseExpression, cst.BaseSmallStatement)
    found = [here for here in syntax.walk(syntax.module) if isinstance(here, names) and syntax.code(here) == code]
    first = min(syntax.range(here) for here in found)
    return max((here for here in found if syntax.range(here) == first), key=lambda here: len([*syntax.ancestors(here)]))


def line(syntax: Syntax, code: str) -> cst.SimpleStatementLine:
    found = syntax.statement(node(syntax, code))
    assert isinstance(found, cst.SimpleStatementLine)
    return found


# --- ranges ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", [Path(module.__file__) for module in (bdb, codeop, queue, timeit)])
def test_every_expression_and_statement_of_ast_is_a_node_of_the_same_range(path: Path) -> None:
    text = path.read_text("utf-8")
    syntax = Syntax(path.name, text)
    tree, lines = ast.parse(text), text.splitlines()
    strings = [string for string in ast.walk(tree) if isinstance(string, ast.JoinedStr)]
    # Python 3.11 gives what is in an f-string the range of the whole string.
    inside = {id(part) for string in strings for part in ast.walk(string) if part is not string}
    # `a[1, 2]` holds no tuple for LibCST.
    inside |= {id(part.slice) for part in ast.walk(tree) if isinstance(part, ast.Subscript)}
    facts = [fact for fact in ast.walk(tree) if isinstance(fact, ast.expr | ast.stmt) and id(fact) not in inside]
    assert facts
    for fact in facts:
        span = span_of(fact, path.name, lines)
        found = syntax.node_at(span)
        if not (isinstance(fact, ast.GeneratorExp) and syntax.span(found) != span):  # a lone one in a call
            assert syntax.span(found) == span


def span_of(fact: ast.expr | ast.stmt, path: str, lines: Sequence[str]) -> Span:

    def column(line: int, in_bytes: int) -> int:
        return len(lines[line - 1].encode()[:in_bytes].decode()) + 1

    assert fact.end_lineno is not None
    assert fact.end_col_offset is not None
    start = fact.lineno, column(fact.lineno, fact.col_offset)
    return Span(path, *start, fact.end_lineno, column(fact.end_lineno, fact.end_col_offset))


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_positions_count_code_points_and_every_kind_of_line_end(end: str) -> None:
    syntax = Syntax("a.py", f"größe = 1{end}ü = f(größe, '日本', x){end}")
    assert syntax.span(node(syntax, "x")) == Span("a.py", 2, 20, 2, 21)
    assert syntax.code(syntax.node_at(Span("a.py", 2, 5, 2, 22))) == "f(größe, '日本', x)"
    assert syntax.newline == end


@pytest.mark.parametrize("lead", ["\x0c", "\x0c\n", "\ufeff"])
def test_what_libcst_drops_at_the_start_of_a_file_is_counted(lead: str) -> None:
    text = f"{lead}x = 1\n"
    syntax = Syntax("a.py", text)
    assert applied(text, syntax.rewrite({node(syntax, "1"): "22"})) == f"{lead}x = 22\n"


def test_ranges_behind_text_that_libcst_drops_are_refused() -> None:
    syntax = Syntax("a.py", "x = 1\n    # lost\n  ")
    assert syntax.code(node(syntax, "1")) == "1"
    with pytest.raises(NotAnalysed, match="would not survive"):
        syntax.range(syntax.module)


@pytest.mark.parametrize(
    ("wanted", "kind"),
    [
        (None, cst.Call),
        (cst.Call, cst.Call),
        (cst.Expr, cst.Expr),
        (cst.SimpleStatementLine, cst.SimpleStatementLine),
    ],
)
def test_several_nodes_of_one_range_are_told_apart_by_type(
    wanted: type[cst.CSTNode] | None, kind: type[cst.CSTNode]
) -> None:
    assert isinstance(Syntax("a.py", "f(x)\n").node_at(Span("a.py", 1, 1, 1, 5), wanted), kind)


@pytest.mark.parametrize("span", [Span("a.py", 1, 1, 1, 4), Span("a.py", 9, 1, 9, 4)])
def test_a_range_that_no_node_has_is_an_error(span: Span) -> None:
    with pytest.raises(LookupError):
        Syntax("a.py", "f(x)\n").node_at(span)


def test_a_node_knows_what_it_lies_in() -> None:
    syntax = Syntax(
        "a.py", "class A:\n    def m(self):\n        if a:\n            pass\n        elif b:\n            pass\n"
    )
    name = node(syntax, "b")
    function = syntax.enclosing(name, cst.FunctionDef)
    assert function is not None
    assert function.name.value == "m"
    assert syntax.holds(function, name)
    assert not syntax.holds(name, function)
    assert syntax.enclosing(syntax.module, cst.FunctionDef) is None
    assert isinstance(syntax.parent(syntax.statement(name)), cst.IndentedBlock), "an `elif` is no statement of a block"


def test_nodes_of_some_kinds_come_in_the_order_of_the_text() -> None:
    syntax = Syntax("a.py", "class A(B):\n    x = (c, d.e)\n\n    def m(self): return self.x\n\ny = A()\n")
    wanted = (cst.Name, cst.Attribute, cst.FunctionDef)
    for top in (syntax.module, syntax.module.body[0]):
        assert [*syntax.walk(top, *wanted)] == [one for one in syntax.walk(top) if isinstance(one, wanted)]
    assert [one.value for one in syntax.walk(syntax.module.body[1], cst.Name)] == ["y", "A"]


def test_a_word_is_found_where_it_stands_by_itself() -> None:
    files = Files(
        {"a.py": "box = 1\n", "b.py": "boxes, _box, box1, éboxé\n", "c.py": "boxes; self.box()\n", "d.py": ""}
    )
    assert [path for path, _ in files.with_word("box")] == ["a.py", "c.py"]


def test_classes_are_found_by_name_with_what_stands_in_their_heads() -> None:
    text = (
        "class  A(Base[int], metaclass=M):\n    class B: ...\n\n# class C(D): no\nsubclass = 1\n\tclass E(\n  F): ...\n"
    )
    files = Files({"a.py": text, "b.py": "class A: ...\n", "c.py": "x = 'class A'\n"})
    assert files.bases == {"A": {"Base", "int", "metaclass", "M"}, "B": set(), "E": {"F"}}
    assert files.defining({"A"}) == ["a.py", "b.py"]
    assert files.defining({"E", "C"}) == ["a.py"]
    assert files.defining(set()) == []


def test_text_that_does_not_parse_is_named() -> None:
    with pytest.raises(NotAnalysed, match="does not parse at line 2"):
        Syntax("a.py", "x = 1\ny = = 2\n")


def test_deeply_nested_code_is_taken_apart() -> None:
    depth = (
        500 if sys.version_info[:2] == (3, 12) else 1500
    )  # 3.12 counts calls of C code and lets nobody raise that limit
    text = "x = " + " + ".join(["1"] * depth) + "\n"
    assert Syntax("a.py", text).module.body


def test_an_error_in_the_roomy_thread_comes_back() -> None:
    with pytest.raises(ZeroDivisionError):
        roomy(lambda: 1 // 0)


def test_files_are_taken_apart_once() -> None:
    files = Files({"a.py": "x = 1\n", "b.py": "y = ("})
    assert files["a.py"] is files["a.py"]
    assert [*files] == ["a.py", "b.py"]
    with pytest.raises(NotAnalysed):
        files["b.py"]
    with pytest.raises(KeyError):
        files["c.py"]


# --- rewrites ----------------------------------------------------------------------------------------------------


def test_a_string_replaces_a_node_and_leaves_its_parentheses() -> None:
    text = "x = ( f( a ,b ) )  # c\n"
    syntax = Syntax("a.py", text)
    assert applied(text, syntax.rewrite({node(syntax, "f( a ,b )"): "g()"})) == "x = ( g() )  # c\n"


def test_a_node_replaces_a_node_with_an_edit_of_what_differs() -> None:
    text = "x = f( a ,b )  # c\n"
    syntax = Syntax("a.py", text)
    call = node(syntax, "f( a ,b )")
    assert isinstance(call, cst.Call)
    (edit,) = syntax.rewrite({call: call.with_changes(func=cst.Name("g"))})
    assert edit == Edit("a.py", 4, 5, "f", "g")


def test_a_statement_becomes_several_with_the_indentation_and_line_end_of_its_block() -> None:
    text = "def f():\r\n\tif x:\r\n\t\t# why\r\n\t\ta = 1\r\n\treturn a\r\n"
    syntax = Syntax("a.py", text)
    first = line(syntax, "a")
    new = cst.FlattenSentinel([first, cst.parse_statement("b = 2", config=syntax.module.config_for_parsing)])
    changed = applied(text, syntax.rewrite({first: new}))
    assert changed == "def f():\r\n\tif x:\r\n\t\t# why\r\n\t\ta = 1\r\n\t\tb = 2\r\n\treturn a\r\n"


def test_lines_are_put_between_a_statement_and_the_comment_above_it() -> None:
    text = "def f():\n\n    # why\n    return 1\n"
    syntax = Syntax("a.py", text)
    changed = applied(text, syntax.rewrite({}, {line(syntax, "1"): ["a = 2", "b = 3"]}))
    assert changed == "def f():\n\n    # why\n    a = 2\n    b = 3\n    return 1\n"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("def f():\n    a()\n    gone\n    b()\n", "def f():\n    a()\n    b()\n"),
        ("def f():\n    gone\n", "def f():\n    pass\n"),
        ("def f():\n    gone  # why\n", "def f():\n    pass  # why\n"),
        ("def f():\n    # above\n    gone  # behind\n    b()\n", "def f():\n    # above\n    # behind\n    b()\n"),
        ("def f():\n    gone  # noqa: E1\n    b()\n", "def f():\n    b()\n"),
        ("def f():\n    gone\n    # below\n\n\nx = 1\n", "def f():\n    pass\n    # below\n\n\nx = 1\n"),
        ("def f():\n    '''Doc.'''\n    gone\n", "def f():\n    '''Doc.'''\n"),
        ("if x: gone\n", "if x: pass\n"),
        ("if x: gone; b()\n", "if x: b()\n"),
        ("a(); gone\n", "a()\n"),
        ("gone; a()  # c\n", "a()  # c\n"),
        ("a()\ngone", "a()\n"),
        ("def f():\r\n\tgone\r\n\tb()\r\n", "def f():\r\n\tb()\r\n"),
        ("gone\n", ""),
    ],
)
def test_a_removed_statement_leaves_its_comments_and_a_valid_block(before: str, after: str) -> None:
    syntax = Syntax("a.py", before)
    small = next(
        here for here in syntax.walk(syntax.module) if isinstance(here, cst.Expr) and syntax.code(here) == "gone"
    )
    assert applied(before, syntax.rewrite({small: REMOVE})) == after


def test_a_block_of_which_everything_is_removed_gets_one_pass() -> None:
    text = "def f():\n    gone\n    gone_too\n"
    syntax = Syntax("a.py", text)
    changed = applied(text, syntax.rewrite({line(syntax, "gone"): REMOVE, line(syntax, "gone_too"): REMOVE}))
    assert changed == "def f():\n    pass\n"


def test_a_block_that_gets_new_lines_needs_no_pass() -> None:
    text = "def f():\n    gone\n"
    syntax = Syntax("a.py", text)
    changed = applied(text, syntax.rewrite({line(syntax, "gone"): REMOVE}, {line(syntax, "gone"): ["new()"]}))
    assert changed == "def f():\n    new()\n"


def test_only_simple_statements_can_be_removed() -> None:
    syntax = Syntax("a.py", "def f():\n    pass\n")
    with pytest.raises(TypeError, match="FunctionDef"):
        syntax.rewrite({syntax.module.body[0]: REMOVE})


def test_replacements_within_each_other_are_an_error() -> None:
    syntax = Syntax("a.py", "x = f(a)\n")
    with pytest.raises(ValueError, match="overlap"):
        syntax.rewrite({node(syntax, "f(a)"): "g()", node(syntax, "a"): "b"})


def test_replacing_a_node_by_itself_changes_nothing() -> None:
    syntax = Syntax("a.py", "class A:\n\n  x = ( 1, # c\n  2)\n")
    assert syntax.rewrite({syntax.module.body[0]: syntax.module.body[0]}) == ()


def test_an_edit_that_two_conversions_need_is_made_once() -> None:
    edit = Edit("a.py", 0, 0, "", "import uuid\n")
    assert in_order([edit, Edit("a.py", 3, 4, "x", "y"), edit]) == (edit, Edit("a.py", 3, 4, "x", "y"))


def test_a_conversion_may_look_at_so_many_files_and_no_more() -> None:
    files = Files({f"{name}.py": "x = 1\n" for name in range(100)})
    with pytest.raises(NotAnalysed, match="more than 40 files"):
        for path in files:
            files[path]
    assert len(files.asked) == 40
    kept = files["3.py"]
    files.begin()
    assert files["3.py"] is kept
    files["99.py"]
    for path in list(files)[40:79]:
        files.begin()
        files[path]
    files.begin()
    assert files["3.py"] is not kept  # what was not asked for in a while is given up
