"""What a report looks like: the whole text of a finding, and everything that source code can do to a terminal."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from fake_engine import Statistics, finding, span
from msgspec.structs import replace

from leaklint.finding import Confidence, Edit, Finding, Fix, Moment, Problem, Safety, Span, Step, StepRole
from leaklint.render import View, render
from leaklint.render.cells import cells, plain, width
from leaklint.render.diff import changed_lines
from leaklint.run import Report

AGENT = """\
class Agent:
    def __init__(self):
        self._holder = {}

    async def run(self, callback):
        self._holder["callback"] = callback
        try:
            async for chunk in self.graph.astream():
                yield chunk
        finally:
            self._holder.pop("callback", None)
"""

ROUTER = """\
@router.post("/chat")
async def chat(request: ChatRequest):
    async def gen():
        async for chunk in get_agent().run(request.callback):
            yield chunk
    return StreamingResponse(gen())
"""

WRITE = span("services/agent.py", 6, 9, 44)


def edit(text: str, old: str, new: str, path: str = "services/agent.py") -> Edit:
    start = text.index(old)
    return Edit(path, start, start + len(old), old, new)


LEAK = finding(
    span=WRITE,
    message="the attribute `Agent._holder` keeps `callback` after the request",
    because=("`get_agent` builds one `Agent` for the process", "`callback` is an argument of `chat`"),
    trace=(
        Step(StepRole.ENTRY, span("routers/chat.py", 2, 11, 15), "request handler `chat`"),
        Step(StepRole.CALL, span("routers/chat.py", 4, 28, 43), "calls `Agent.run` on the shared agent"),
        Step(StepRole.WRITE, WRITE, "stores the argument `callback`"),
        Step(
            StepRole.READ, span("services/builder.py", 70, 13, 40), "the node `act` reads it for whichever request runs"
        ),
        Step(StepRole.SHARED, span("services/agent.py", 3, 9, 26), "one dict for the whole process"),
        Step(StepRole.RELATED, span("services/agent.py", 11, 13, 47), "a second request undoes this reset"),
    ),
    timeline=(
        Moment(0, "stores `callback`", WRITE),
        Moment(1, "stores its own `callback`", WRITE),
        Moment(0, 'reads `_holder["callback"]`', span("services/builder.py", 70), "← B's"),
    ),
    help="keep the callback in a local variable and pass it on",
    fix=Fix(
        "Keep `_holder` in a request-local variable",
        Safety.SUGGESTED,
        (
            edit(AGENT, '        self._holder["callback"] = callback\n', '        holder = {"callback": callback}\n'),
            edit(AGENT, "self._holder = {}", "pass"),
        ),
    ),
)

FULL = """\
leak[shared-attribute-write]: the attribute `Agent._holder` keeps `callback` after the request
 --> services/agent.py:6:9
  |
3 |         self._holder = {}
  |         ----------------- one dict for the whole process
...
6 |         self._holder["callback"] = callback
  |         ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  |
  = trace: how a request gets here
 (1) routers/chat.py:2:11  request handler `chat`
2 | async def chat(request: ChatRequest):
  |           ^^^^
 (2) routers/chat.py:4:28  calls `Agent.run` on the shared agent
4 |         async for chunk in get_agent().run(request.callback):
  |                            ^^^^^^^^^^^^^^^
 (3) services/agent.py:6:9  stores the argument `callback`
  |
  request A                                     request B
  stores `callback`            agent.py:6
                                                stores its own `callback`  agent.py:6
  reads `_holder["callback"]`  builder.py:70  ← B's
  |
  = why: the node `act` reads it for whichever request runs (services/builder.py:70:13)
  = also: a second request undoes this reset (services/agent.py:11:13)
  = help: keep the callback in a local variable and pass it on
  = fix: Keep `_holder` in a request-local variable (suggested)
  |
  |       def __init__(self):
  | -         self._holder = {}
  | +         pass
  |
  |       async def run(self, callback):
  | -         self._holder["callback"] = callback
  | +         holder = {"callback": callback}
  |           try:
  |
  = note: `leaklint fix --unsafe-fixes --select shared-attribute-write` shows it, add `--apply` to write it
  = confidence: high, reporting because `get_agent` builds one `Agent` for the process
  |   and because `callback` is an argument of `chat`
  = more: `leaklint explain shared-attribute-write`

1 finding: 1 leak; 2 files checked (1 fixable)
next: `leaklint fix --unsafe-fixes` shows the suggested fixes, `--apply` writes them
"""


def report(*findings: Finding, problems: tuple[Problem, ...] = (), **texts: str) -> Report:
    """A report on files named by keyword, `a__b` being `a/b.py`."""
    files = {f"{name.replace('__', '/')}.py": text for name, text in texts.items()}
    return Report(findings, (), problems, Statistics(len(files), 1), Path("/project"), files)


def full(given: Report, **view: object) -> list[str]:
    return render("full", given, View(Path("/project"), **view)).splitlines()  # type: ignore[arg-type]


def frame(line: str, where: Span, **view: object) -> tuple[str, str]:
    """The shown source line and its underline, without the gutter."""
    lines = full(report(finding(span=where), app=line), **view)
    return lines[3].partition("| ")[2], lines[4].partition("| ")[2]


def underlined(source: str, marks: str) -> str:
    """What stands in the cells above the carets."""
    start, end = marks.index("^"), len(marks)
    shown, position = "", 0
    for text, size in cells(source):
        if start <= position < end:
            shown += text
        position += size
    return shown


def test_a_whole_finding_reads_like_this() -> None:
    given = report(LEAK, services__agent=AGENT, routers__chat=ROUTER)
    assert full(given) == FULL.splitlines()


def test_colours_change_nothing_but_colours() -> None:
    given = report(LEAK, services__agent=AGENT, routers__chat=ROUTER)
    coloured = "\n".join(full(given, color=True))
    assert "\x1b[1;31mleak[shared-attribute-write]\x1b[0m" in coloured
    assert re.sub(r"\x1b\[[\d;]*m", "", coloured) + "\n" == FULL


def test_one_line_a_finding() -> None:
    given = report(LEAK, services__agent=AGENT, routers__chat=ROUTER)
    assert render("concise", given, View(Path("/project"))).splitlines()[0] == (
        "services/agent.py:6:9: leak[shared-attribute-write] the attribute `Agent._holder` keeps `callback` after the "
        "request; trace chat.py:2 > chat.py:4 > agent.py:6; fix suggested"
    )


def test_json_holds_everything_under_fixed_keys() -> None:
    given = report(
        LEAK,
        problems=(Problem("bad.py", "invalid syntax", "mend it", 3, 4),),
        services__agent=AGENT,
        routers__chat=ROUTER,
    )
    document = json.loads(render("json", given, View(Path("/project/services"), color=True)))
    assert list(document) == ["version", "findings", "errors", "statistics"]
    assert document["version"] == 1
    [found] = document["findings"]
    trace, timeline = found.pop("trace"), found.pop("timeline")
    assert found == {
        "rule": "shared-attribute-write",
        "family": "shared-state",
        "severity": "leak",
        "confidence": "high",
        "path": "agent.py",
        "line": 6,
        "column": 9,
        "end_line": 6,
        "end_column": 44,
        "message": "the attribute `Agent._holder` keeps `callback` after the request",
        "because": ["`get_agent` builds one `Agent` for the process", "`callback` is an argument of `chat`"],
        "fix": {"title": "Keep `_holder` in a request-local variable", "safety": "suggested"},
        "fingerprint": LEAK.fingerprint,
    }
    assert len(trace) == 6
    assert trace[0] == {"path": "../routers/chat.py", "line": 2, "column": 11, "message": "request handler `chat`"}
    assert [moment["request"] for moment in timeline] == ["A", "B", "A"]
    assert document["errors"] == [
        {"path": "../bad.py", "line": 3, "column": 4, "message": "invalid syntax", "hint": "mend it", "internal": False}
    ]
    assert document["statistics"]["files"] == 2


def test_json_bears_names_that_are_not_text() -> None:
    given = report(finding("odd\udcff.py"))
    assert json.loads(render("json", given, View(Path("/project"))))["findings"][0]["path"] == "odd\udcff.py"


# --- carets ---


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("    self.x = value", "self.x"),
        ('    name = "日本語"; self.x = value', "self.x"),
        ('    name = "日本語"; y = "漢字"', '"漢字"'),
        ("\tself.x = value", "self.x"),
        ("ab\tself.x = value", "self.x"),
        ('    s = "e\u0301\u0301"; self.x = value', "self.x"),
        ('    s = "👩\u200d💻"; self.x = value', "self.x"),
        ('    s = "\x1b[31m"; self.x = value', "self.x"),
        ("ｗｉｄｅ.x = value", "ｗｉｄｅ.x"),
    ],
)
def test_carets_stand_under_what_they_mean(line: str, code: str) -> None:
    column = line.index(code) + 1
    source, marks = frame(line, span("app.py", 1, column, column + len(code)))
    assert underlined(source, marks) == code


def test_control_characters_never_reach_the_terminal() -> None:
    evil = "x = '\x1b]0;title\x07\x9b31m\u202e\u2066\x00\x7f'\x0c"
    shown = full(
        report(
            finding("ev\x1bil.py", message=evil, help=evil, because=(evil,)),
            finding(span=span("app.py", 1, 1, 2)),
            problems=(Problem("a\nb.py", evil, evil),),
            app=evil,
        )
    )
    assert all(plain(line) == line for line in shown)
    assert any("\\x1b]0;title\\x07\\x9b31m\\u202e\\u2066\\x00\\x7f" in line for line in shown)
    concise = render("concise", report(finding(message=f"{evil}\nforged.py:1:1: leak[x] y")), View(Path("/project")))
    assert sum(line.count("leak[") for line in concise.splitlines()) == 2
    assert concise.count("\n") == 3


@pytest.mark.parametrize("at", [0, 500, 50_000, 99_990])
def test_a_very_long_line_is_clipped_around_the_span(at: int) -> None:
    line = "".join(f"a{number:04d} = f({number % 10}); " for number in range(7000))[:100_000]
    source, marks = frame(line, span("app.py", 1, at + 1, at + 6))
    assert width(source) <= 118
    assert underlined(source, marks) == line[at : at + 5]
    assert source.startswith("…") == (at > 0)
    assert source.endswith("…") == (at < 99_000)


def test_a_span_wider_than_the_line_shown_ends_with_it() -> None:
    source, marks = frame("x" * 500, span("app.py", 1, 1, 501), width=80)
    assert len(marks) <= width(source) <= 80


def test_a_span_over_several_lines_is_underlined_to_the_end_of_its_first() -> None:
    source, marks = frame("call(\n    a,\n)\n", span("app.py", 1, 1, 2, end_line=3))
    assert (source, marks) == ("call(", "^^^^^")


@pytest.mark.parametrize("where", [span("app.py", 9), span("gone.py", 1), span("app.py", 1, 40, 50)])
def test_a_span_that_the_text_does_not_have_is_no_crash(where: Span) -> None:
    lines = full(report(finding(span=where), app=""))
    assert lines[1] == f" --> {where.path}:{where.line}:{where.column}"


def test_lines_end_where_python_ends_them() -> None:
    where = span("app.py", 3, 1, 2)
    assert frame("a = '\x0c'\rb = '\u2028'\r\nc = 1", where) == ("c = 1", "^")


# --- traces and fixes ---


def long_trace(calls: int) -> tuple[Step, ...]:
    steps = [Step(StepRole.ENTRY, span("app.py", 1), "handler")]
    steps += [Step(StepRole.CALL, span("app.py", number + 2), f"call {number}") for number in range(calls)]
    return (*steps, Step(StepRole.WRITE, span("app.py", 99), "writes"))


def test_a_long_trace_is_cut_in_its_middle() -> None:
    text = "".join(f"line{number}\n" for number in range(1, 101))
    given = report(finding(line=99, trace=long_trace(6)), app=text)
    shown = [line for line in full(given) if line.startswith((" (", " ..."))]
    assert [line.strip().partition(" ")[0] for line in shown] == ["(1)", "(2)", "...", "(6)", "(7)", "(8)"]
    assert shown[2] == " ... 3 more calls, --full-trace"
    assert sum(line.startswith(" (") for line in full(given, full_trace=True)) == 8


def test_a_trace_of_five_is_whole() -> None:
    assert not any("--full-trace" in line for line in full(report(finding(line=99, trace=long_trace(3)), app="x\n")))


def test_related_places_beyond_three_are_counted() -> None:
    trace = tuple(Step(StepRole.RELATED, span("app.py", number), f"site {number}") for number in range(1, 7))
    shown = "\n".join(full(report(finding(trace=trace), app="")))
    assert "site 3" in shown
    assert "site 4" not in shown
    assert "... 3 more, --full-trace" in shown


def test_a_refused_fix_says_why() -> None:
    refused = Fix("Move it", Safety.SUGGESTED, refused="`app.py:7` reads it through `vars`")
    shown = full(report(finding(fix=refused), app="x\n"))
    assert "  = fix: none is offered: `app.py:7` reads it through `vars`" in shown
    assert not any("--apply" in line for line in shown)
    assert "  = fix: by hand: Use a session" in full(report(finding(fix=Fix("Use a session", Safety.SHOWN)), app="x\n"))


def test_a_fix_in_another_file_names_it() -> None:
    fix = Fix(
        "Pass it", Safety.SAFE, (edit("f()\n", "f()", "f(x)", "a.py"), edit("def f(): ...\n", "()", "(x)", "b.py"))
    )
    shown = full(report(finding("a.py", fix=fix), a="f()\n", b="def f(): ...\n"))
    at = shown.index("  | - f()")
    assert shown[at : at + 6] == [
        "  | - f()",
        "  | + f(x)",
        "  |",
        "  | b.py",
        "  | - def f(): ...",
        "  | + def f(x): ...",
    ]
    assert "  = note: `leaklint fix --select shared-attribute-write` shows it, add `--apply` to write it" in shown


def test_the_next_command_fits_what_was_found() -> None:
    assert "next: `leaklint explain shared-attribute-write`" in full(report(finding(), app="x"))
    safe = replace(finding(), fix=Fix("t", Safety.SAFE, (Edit("app.py", 0, 1, "x", "y"),)))
    assert full(report(safe, app="x"))[-1].startswith("next: `leaklint fix` shows the safe fixes")


def test_counts_are_worded() -> None:
    found = (finding(), finding(line=2, rule="check-then-act"), finding(line=3, rule="check-then-act"))
    given = replace(report(*found, app="x"), suppressed=(finding(confidence=Confidence.HIGH),))
    assert "3 findings: 1 leak, 2 races; 1 file checked (1 suppressed)" in full(given)


@pytest.mark.parametrize(
    ("text", "old", "new", "expected"),
    [
        ("a\nb\nc\n", "b", "B", [" a", "-b", "+B", " c"]),
        ("a\nb\nc\nd\n", "b\n", "", [" a", "-b", " c"]),
        ("a\r\nb\r\nc", "c", "C", [" b", "-c", "+C"]),
        ("a\rb\rc", "b", "B", [" a", "-b", "+B", " c"]),
        ("a", "a", "b\nc", ["-a", "+b", "+c"]),
        ("a\nb\n", "a\nb\n", "x\n", ["-a", "-b", "+x", " "]),
    ],
)
def test_a_diff_shows_changed_lines_and_one_around_them(text: str, old: str, new: str, expected: list[str]) -> None:
    assert [sign + line for sign, line in changed_lines(text, [edit(text, old, new)])] == expected


def test_a_diff_of_distant_edits_has_a_gap() -> None:
    text = "".join(f"{number}\n" for number in range(10))
    shown = [sign + line for sign, line in changed_lines(text, [edit(text, "8", "x"), edit(text, "1", "y")])]
    assert shown == [" 0", "-1", "+y", " 2", ".", " 7", "-8", "+x", " 9"]


def test_edits_that_do_not_fit_show_no_diff() -> None:
    assert list(changed_lines("abc", [Edit("app.py", 0, 1, "x", "y")])) == []
    assert list(changed_lines("abc", [Edit("app.py", 0, 2, "ab", ""), Edit("app.py", 1, 3, "bc", "")])) == []
