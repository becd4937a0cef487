"""The fixing machinery: what is tried, what is taken back, and what reaches the disk.

The check is a toy: each word `leak<n>` in a text is a finding, and what its fix does is up to the test.
"""

import re
import stat
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from msgspec.structs import replace

from leaklint import fix as fixes
from leaklint import run
from leaklint.config import Config
from leaklint.finding import Confidence, Edit, Family, Finding, Fix, Problem, Safety, Severity, Span
from leaklint.fix import Answer, mend, why_not, write
from leaklint.run import Report

Mender = Callable[[str, str, re.Match[str]], Fix | None]


def edit(path: str, text: str, start: int, end: int, new: str) -> Edit:
    return Edit(path, start, end, text[start:end], new)


def replaced(new: str, safety: Safety = Safety.SAFE) -> Mender:
    """A fix that puts `new` in the place of the word."""

    def mender(path: str, text: str, match: re.Match[str]) -> Fix:
        return Fix(f"Replace {match[0]}", safety, (edit(path, text, *match.span(), new),))

    return mender


class Toy:
    """The project `texts`; `menders` say how each word is mended."""

    def __init__(self, texts: Mapping[str, str], menders: Mapping[str, Mender | None], root: Path = Path()) -> None:
        self.texts, self.menders, self.root = texts, menders, root
        self.checks: list[dict[str, str]] = []

    def __call__(self, overlay: Mapping[str, str]) -> Report:
        self.checks.append(dict(overlay))
        texts = {**self.texts, **overlay}
        found = [one for path, text in sorted(texts.items()) for one in self._findings(path, text)]
        problems = tuple(Problem(path, "cannot be parsed") for path, text in texts.items() if "unparsable" in text)
        return Report(tuple(found), (), problems, None, self.root, texts)

    def _findings(self, path: str, text: str) -> list[Finding]:
        found = []
        for match in re.finditer(r"leak\d", text):
            line = text.count("\n", 0, match.start()) + 1
            mender = self.menders.get(match[0])
            statement = re.split(r"[\r\n]+", text)[line - 1].strip() if "\r\n" not in text else match[0]
            found.append(
                Finding(
                    rule=f"rule-{match[0]}",
                    family=Family.SHARED_STATE,
                    severity=Severity.LEAK,
                    confidence=Confidence.HIGH,
                    span=Span(path, line, 1, line, 2),
                    message="",
                    subject=match[0],
                    writer=path,
                    statement=statement,
                    fix=mender(path, text, match) if mender else None,
                )
            )
        return found


def never(finding: Finding) -> str:
    return why_not(finding, unsafe=True, select=())


def rules(findings: object) -> list[str]:
    return [finding.rule for finding in findings]  # type: ignore[attr-defined]


# --- in memory ---------------------------------------------------------------------------------------------------


def test_fixes_of_several_files_are_made_in_one_pass() -> None:
    toy = Toy(
        {"a.py": "x = leak1\ny = leak2\n", "b.py": "z = leak1\n"}, {"leak1": replaced("'ä'"), "leak2": replaced("2")}
    )
    mended = mend(toy, never)
    assert mended.texts == {"a.py": "x = 'ä'\ny = 2\n", "b.py": "z = 'ä'\n"}
    assert rules(finding for finding, _ in mended.fixed) == ["rule-leak1", "rule-leak2", "rule-leak1"]
    assert mended.left == ()
    assert len(toy.checks) == 2


def test_an_untouched_project_is_checked_once() -> None:
    toy = Toy({"a.py": "x = leak1\n"}, {"leak1": None})
    mended = mend(toy, never)
    assert mended.texts == {}
    assert [left.reason for left in mended.left] == ["it has no fix"]
    assert len(toy.checks) == 1


def test_a_second_run_changes_nothing() -> None:
    menders = {"leak1": replaced("leak2"), "leak2": replaced("3"), "leak3": replaced("syntax error")}
    texts = {"a.py": "x = leak1, leak2\ny = leak3\n"}
    first = mend(Toy(texts, menders), never)
    second = mend(Toy({**texts, **first.texts}, menders), never)
    assert second.texts == {}


def test_fixes_that_hold_alone_and_not_together_are_made_one_after_the_other() -> None:
    def line_gone(path: str, text: str, match: re.Match[str]) -> Fix:
        start, end = text.rindex("\n", 0, match.start()) + 1, text.index("\n", match.end()) + 1
        if text.count("leak") > 1:
            return Fix("", Safety.SAFE, (edit(path, text, start, end, ""),))
        return Fix("", Safety.SAFE, (edit(path, text, *match.span(), "pass"),))

    toy = Toy({"a.py": "def f():\n    leak1\n    leak2\n"}, {"leak1": line_gone, "leak2": line_gone})
    mended = mend(toy, never)
    assert mended.texts == {"a.py": "def f():\n    pass\n"}
    assert mended.left == ()


def test_fixes_that_overlap_wait_for_the_next_pass() -> None:
    def whole_line(path: str, text: str, match: re.Match[str]) -> Fix:
        line = text.replace("leak1", "one")
        return Fix("", Safety.SAFE, (edit(path, text, 0, len(text), line),))

    toy = Toy({"a.py": "x = leak1, leak2\n"}, {"leak1": whole_line, "leak2": replaced("2")})
    assert mend(toy, never).texts == {"a.py": "x = one, 2\n"}
    assert len(toy.checks) == 3


@pytest.mark.parametrize(
    ("answers", "text", "reasons", "asked"),
    [
        ([Answer.YES, Answer.NO, Answer.YES], "1 leak2 3", ["declined"], 3),
        ([Answer.NO, Answer.ALL], "leak1 2 3", ["declined"], 2),
        ([Answer.YES, Answer.QUIT], "1 leak2 leak3", ["not asked about: you quit"] * 2, 2),
        ([Answer.QUIT], "leak1 leak2 leak3", ["not asked about: you quit"] * 3, 1),
    ],
)
def test_only_fixes_that_are_agreed_to_are_made(
    answers: list[Answer], text: str, reasons: list[str], asked: int
) -> None:
    menders = {f"leak{number}": replaced(str(number)) for number in (1, 2, 3)}
    toy = Toy({"a.py": "leak1; leak2; leak3\n"}, menders)
    shown: list[str] = []

    def ask(finding: Finding, diff: str) -> Answer:
        shown.append(diff)
        return answers[len(shown) - 1]

    mended = mend(toy, never, ask=ask)
    assert mended.texts.get("a.py", toy.texts["a.py"]) == "; ".join(text.split()) + "\n"
    assert [left.reason for left in mended.left] == reasons
    assert len(shown) == asked
    assert shown[0].splitlines()[-2:] == ["-leak1; leak2; leak3", "+1; leak2; leak3"]


def test_a_read_only_file_is_a_problem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "a.py"
    file.write_text("old\n")
    file.chmod(0o444)
    monkeypatch.setattr(fixes.os, "access", lambda path, mode: path != file)  # root may write everywhere
    written, failed = write(tmp_path, {"a.py": "old\n"}, {"a.py": "new\n"}, ())
    assert written == set()
    assert failed["a.py"].message == "cannot be written: it is read-only"
    assert file.read_text() == "old\n"
    assert [one.name for one in tmp_path.iterdir()] == ["a.py"]


def test_an_edit_that_two_fixes_share_is_made_once() -> None:
    def imported(path: str, text: str, match: re.Match[str]) -> Fix:
        new = edit(path, text, *match.span(), "uuid.uuid4()")
        return Fix("", Safety.SAFE, (edit(path, text, 0, 0, "import uuid\n"), new))

    toy = Toy({"a.py": "x = leak1\ny = leak2\n"}, {"leak1": imported, "leak2": imported})
    assert mend(toy, never).texts == {"a.py": "import uuid\nx = uuid.uuid4()\ny = uuid.uuid4()\n"}


def test_insertions_at_one_place_are_made_one_after_the_other() -> None:
    def appended(path: str, text: str, match: re.Match[str]) -> Fix:
        end = text.index(")")
        return Fix(
            "", Safety.SAFE, (edit(path, text, end, end, f", {match[0][-1]}"), edit(path, text, *match.span(), "0"))
        )

    toy = Toy({"a.py": "f(9)\nx = leak1\ny = leak2\n"}, {"leak1": appended, "leak2": appended})
    assert mend(toy, never).texts == {"a.py": "f(9, 1, 2)\nx = 0\ny = 0\n"}


@pytest.mark.parametrize(
    ("new", "reason"),
    [
        ("= =", "its fix was taken back: a.py does not compile any more: "),
        ("leak2", "its fix was taken back: the finding is still there"),
        ("leak9", "its fix was taken back: it brings about `rule-leak9` at a.py:2"),
        ("unparsable", "its fix was taken back: a.py: cannot be parsed"),
    ],
)
def test_a_fix_that_does_not_hold_is_taken_back_alone(new: str, reason: str) -> None:
    menders = {"leak1": replaced("1"), "leak2": replaced(new), "leak3": replaced("3"), "leak4": replaced("4")}
    toy = Toy({"a.py": "a = leak1\nb = leak2\nc = leak3\nd = leak4\n"}, menders)
    mended = mend(toy, never)
    assert mended.texts == {"a.py": "a = 1\nb = leak2\nc = 3\nd = 4\n"}
    assert [(left.now.rule, left.reason.startswith(reason)) for left in mended.left] == [("rule-leak2", True)]


def test_what_was_less_sure_before_is_brought_to_light_and_not_about() -> None:
    toy = Toy({"a.py": "x = leak1\ny = leak2\n"}, {"leak1": replaced("1"), "leak2": replaced("2")})

    def check(overlay: Mapping[str, str]) -> Report:
        report = toy(overlay)
        first = [one for one in report.findings if one.rule == "rule-leak1"]
        return replace(report, findings=tuple(first) or report.findings)

    assert mend(check, never).texts == {}
    assert mend(check, never, check_all=toy).texts == {"a.py": "x = 1\ny = 2\n"}


def test_a_fix_that_does_not_fit_its_file_is_taken_back() -> None:
    stale = Fix("", Safety.SAFE, (Edit("a.py", 0, 1, "y", "z"),))
    mended = mend(Toy({"a.py": "x = leak1\n"}, {"leak1": lambda *_: stale}), never)
    assert [left.reason for left in mended.left] == ["its fix was taken back: its edits do not fit a.py"]
    assert mended.texts == {}


def test_a_fix_in_two_files_is_made_in_both_or_in_none() -> None:
    other = {"b.py": "y = 1\n"}

    def both(path: str, text: str, match: re.Match[str]) -> Fix:
        return Fix("", Safety.SAFE, (edit(path, text, *match.span(), "1"), edit("b.py", other["b.py"], 4, 5, "= =")))

    mended = mend(Toy({"a.py": "x = leak1\n", **other}, {"leak1": both}), never)
    assert mended.texts == {}
    assert len(mended.left) == 1


def test_a_finding_whose_line_another_fix_changes_is_no_new_one() -> None:
    mended = mend(Toy({"a.py": "x = leak1, leak2\n"}, {"leak1": replaced("1"), "leak2": None}), never)
    assert mended.texts == {"a.py": "x = 1, leak2\n"}
    assert [left.then.statement for left in mended.left] == ["x = leak1, leak2"]
    assert [left.now.statement for left in mended.left] == ["x = 1, leak2"]


def test_imports_that_several_fixes_leave_unused_are_dropped() -> None:
    text = "import os\nfrom a import leaky, other\n\nx = leaky(leak1)\ny = leaky(leak2), other, os\n"

    def whole_call(path: str, text: str, match: re.Match[str]) -> Fix:
        return Fix("", Safety.SAFE, (edit(path, text, match.start() - 6, match.end() + 1, "0"),))

    mended = mend(Toy({"a.py": text}, {"leak1": whole_call, "leak2": whole_call}), never)
    assert mended.texts == {"a.py": "import os\nfrom a import other\n\nx = 0\ny = 0, other, os\n"}


@pytest.mark.parametrize(("new", "made"), [("1", True), ("= =", False)])
def test_syntax_newer_than_the_running_python_is_left_to_libcst(new: str, made: bool) -> None:
    newer = "try:\n    x = leak1\nexcept KeyError, ValueError:\n    pass\n"
    mended = mend(Toy({"a.py": newer}, {"leak1": replaced(new)}), never)
    assert mended.texts == ({"a.py": newer.replace("leak1", "1")} if made else {})


@pytest.mark.parametrize(
    ("fix", "unsafe", "select", "reason"),
    [
        (None, True, (), "it has no fix"),
        (Fix("", Safety.SHOWN), True, (), "its fix is only explained"),
        (Fix("", Safety.SAFE, refused="b.py:3 escapes"), True, (), "its fix is refused: b.py:3 escapes"),
        (
            Fix("", Safety.SUGGESTED, (Edit("", 0, 0, "", ""),)),
            False,
            (),
            "its fix may change behaviour: `--unsafe-fixes` takes it in",
        ),
        (Fix("", Safety.SUGGESTED, (Edit("", 0, 0, "", ""),)), True, (), ""),
        (Fix("", Safety.SAFE, (Edit("", 0, 0, "", ""),)), False, (), ""),
        (Fix("", Safety.SAFE, (Edit("", 0, 0, "", ""),)), False, ("other-rule",), "not selected"),
        (Fix("", Safety.SAFE, (Edit("", 0, 0, "", ""),)), False, ("shared-state",), ""),
        (Fix("", Safety.SAFE, (Edit("", 0, 0, "", ""),)), False, ("rule-leak1",), ""),
    ],
)
def test_why_a_finding_is_left(fix: Fix | None, unsafe: bool, select: tuple[str, ...], reason: str) -> None:
    (finding,) = Toy({"a.py": "leak1"}, {"leak1": lambda *_: fix})({}).findings
    assert why_not(finding, unsafe=unsafe, select=select) == reason


# --- on disk -----------------------------------------------------------------------------------------------------


def save(root: Path, files: Mapping[str, bytes]) -> None:
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"x = leak1\r\n", b"x = 1\r\n"),
        (b"\xef\xbb\xbfx = 'leak1 \xc3\xa4'\n", b"\xef\xbb\xbfx = '1 \xc3\xa4'\n"),
        (b"# coding: latin-1\nx = 'leak1 \xe4'\n", b"# coding: latin-1\nx = '1 \xe4'\n"),
        (b"x = leak1", b"x = 1"),
        (b"x = leak1\ry = 2\r", b"x = 1\ry = 2\r"),
    ],
)
def test_encoding_and_line_ends_are_kept(tmp_path: Path, before: bytes, after: bytes) -> None:
    save(tmp_path, {"a.py": before})
    text, _ = fixes.decode(before)
    assert write(tmp_path, {"a.py": text}, {"a.py": text.replace("leak1", "1")}, ()) == ({"a.py"}, {})
    assert (tmp_path / "a.py").read_bytes() == after
    assert names_in(tmp_path) == ["a.py"]


def test_the_mode_is_kept_and_a_link_stays_a_link(tmp_path: Path) -> None:
    save(tmp_path, {"real/a.py": b"x = 1\n"})
    (tmp_path / "real/a.py").chmod(0o754)
    (tmp_path / "a.py").symlink_to("real/a.py")
    write(tmp_path, {"a.py": "x = 1\n"}, {"a.py": "x = 2\n"}, ())
    assert (tmp_path / "a.py").is_symlink()
    assert (tmp_path / "real/a.py").read_text() == "x = 2\n"
    assert stat.S_IMODE((tmp_path / "real/a.py").stat().st_mode) == 0o754


def test_a_file_that_changed_since_is_left_alone_with_all_that_share_its_fix(tmp_path: Path) -> None:
    save(tmp_path, {"a.py": b"x = 1\n", "b.py": b"y = 100\n", "c.py": b"z = 1\n"})
    shared = Fix("", Safety.SAFE, (Edit("a.py", 4, 5, "1", "2"), Edit("b.py", 4, 5, "1", "2")))
    before = {"a.py": "x = 1\n", "b.py": "y = 1\n", "c.py": "z = 1\n"}
    after = {path: text.replace("1", "2") for path, text in before.items()}
    written, failed = write(tmp_path, before, after, [shared])
    assert written == {"c.py"}
    assert {path: problem.message for path, problem in failed.items()} == {
        "a.py": "not written, because b.py was not",
        "b.py": "changed since it was judged, and is left alone",
    }
    assert {name: (tmp_path / name).read_text() for name in before} == {
        **before,
        "b.py": "y = 100\n",
        "c.py": "z = 2\n",
    }
    assert names_in(tmp_path) == ["a.py", "b.py", "c.py"]


def test_a_failure_half_way_restores_what_was_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save(tmp_path, {"a.py": b"x = 1\n", "b.py": b"y = 1\n"})
    replace = Path.replace

    def failing(self: Path, target: Path) -> Path:
        if target.name == "b.py":
            raise OSError(28, "No space left on device")
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", failing)
    shared = Fix("", Safety.SAFE, (Edit("a.py", 0, 0, "", ""), Edit("b.py", 0, 0, "", "")))
    before = {"a.py": "x = 1\n", "b.py": "y = 1\n"}
    written, failed = write(tmp_path, before, {"a.py": "x = 2\n", "b.py": "y = 2\n"}, [shared])
    assert written == set()
    assert failed["b.py"].message == "cannot be written: No space left on device"
    assert (tmp_path / "a.py").read_text() == "x = 1\n"
    assert names_in(tmp_path) == ["a.py", "b.py"]


def test_text_that_the_encoding_cannot_hold_is_a_problem(tmp_path: Path) -> None:
    save(tmp_path, {"a.py": b"# coding: latin-1\nx = 1\n"})
    before = "# coding: latin-1\nx = 1\n"
    written, failed = write(tmp_path, {"a.py": before}, {"a.py": before + "'日'\n"}, ())
    assert written == set()
    assert failed["a.py"].message.startswith("cannot be written as iso-8859-1")


@pytest.mark.parametrize("apply", [False, True])
def test_fix_shows_a_diff_and_writes_only_when_told_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, apply: bool
) -> None:
    save(tmp_path, {"pkg/a.py": b"x = leak1\ny = leak2\n"})
    toy = Toy({"pkg/a.py": "x = leak1\ny = leak2\n"}, {"leak1": replaced("1\nnew = 1")}, tmp_path)
    monkeypatch.setattr(run, "run", lambda paths, config, progress, overlay, *_: toy(overlay))
    monkeypatch.chdir(tmp_path / "pkg")
    outcome = fixes.fix(tmp_path, Config(tmp_path), [], unsafe=False, select=(), apply=apply)
    assert outcome.diff == "--- a.py\n+++ a.py\n@@ -1,2 +1,3 @@\n-x = leak1\n+x = 1\n+new = 1\n y = leak2\n"
    assert outcome.changed == ("pkg/a.py",)
    assert rules(outcome.fixed) == ["rule-leak1"]
    assert [(finding.span.line, reason) for finding, reason in outcome.left] == [(3 if apply else 2, "it has no fix")]
    assert (tmp_path / "pkg/a.py").read_text() == ("x = 1\nnew = 1\n" if apply else "x = leak1\n") + "y = leak2\n"


def test_what_could_not_be_written_counts_as_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save(tmp_path, {"a.py": b"x = leak1  # edited meanwhile\n"})
    toy = Toy({"a.py": "x = leak1\n"}, {"leak1": replaced("1")}, tmp_path)
    monkeypatch.setattr(run, "run", lambda paths, config, progress, overlay, *_: toy(overlay))
    outcome = fixes.fix(tmp_path, Config(tmp_path), [], unsafe=False, select=(), apply=True)
    assert (outcome.diff, outcome.changed, outcome.fixed) == ("", (), ())
    assert [reason for _, reason in outcome.left] == ["its files could not be written"]
    assert [problem.message for problem in outcome.problems] == ["changed since it was judged, and is left alone"]


def test_a_file_without_a_last_line_end_makes_a_valid_diff(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    toy = Toy({"a.py": "x = leak1"}, {"leak1": replaced("1")}, tmp_path)
    monkeypatch.setattr(run, "run", lambda paths, config, progress, overlay, *_: toy(overlay))
    monkeypatch.chdir(tmp_path)
    outcome = fixes.fix(tmp_path, Config(tmp_path), [], unsafe=False, select=(), apply=False)
    end = "\n\\ No newline at end of file\n"
    assert outcome.diff == f"--- a.py\n+++ a.py\n@@ -1 +1 @@\n-x = leak1{end}+x = 1{end}"
