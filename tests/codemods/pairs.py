"""Case folders to what a conversion must make of them: `before.py`, and `after.py` or the reason why it is refused.

The first comment lines of `before.py` say what the conversion is given: `# slot: Agent._user`, `# refused: reason`,
`# safety: suggested`.
"""

import ast
import io
import re
import tokenize
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from leaklint import indexing, models
from leaklint.files import SourceFile
from leaklint.finding import Edit, Fix
from leaklint.progress import silent
from leaklint.project import link
from leaklint.project.suspect import WriteSuspect
from leaklint.syntax import Files
from msgspec import Struct

CASES = Path(__file__).resolve().parent / "cases"


class Case(Struct, frozen=True):
    """One pair; `settings` are the `# key: value` lines at the top."""

    name: str
    before: str
    after: str | None
    settings: dict[str, str]


def cases(codemod: str) -> list[Case]:
    """The cases of a conversion, by name."""
    return [_case(folder) for folder in sorted((CASES / codemod).iterdir())]


def _case(folder: Path) -> Case:
    before = (folder / "before.py").read_bytes().decode("utf-8")
    after = folder / "after.py"
    settings = dict(re.findall(r"^# (slot|refused|safety|find|call|with|at): (.*?)\r?$", before, re.MULTILINE))
    return Case(folder.name, before, after.read_bytes().decode("utf-8") if after.exists() else None, settings)


def check(case: Case, convert: Callable[[Files], Fix]) -> Fix:
    """Assert that the conversion does what the case says, that the result compiles, and return the fix."""
    fix = convert(Files({"before.py": case.before}))
    if "refused" in case.settings:
        assert (fix.refused, fix.edits) == (case.settings["refused"], ())
        assert case.after is None
        return fix
    assert fix.refused == ""
    result = apply(case.before, fix.edits)
    assert result == case.after
    ast.parse(result)
    compile(result, "after.py", "exec")
    assert comments(result) >= {comment for comment in comments(case.before) if "noqa" not in comment}
    assert fix.safety.value == case.settings.get("safety", "safe")
    return fix


def apply(text: str, edits: Sequence[Edit]) -> str:
    """The text with the edits made; each must fit, and none may overlap the next."""
    ordered = sorted(edits, key=lambda edit: (edit.start, edit.end))
    end = len(text)
    for edit in reversed(ordered):
        assert text[edit.start : edit.end] == edit.expected
        assert edit.end <= end
        text, end = text[: edit.start] + edit.replacement + text[edit.end :], edit.start
    return text


def comments(text: str) -> set[str]:
    """The comments of a file."""
    tokens = tokenize.generate_tokens(io.StringIO(text, newline="").readline)
    return {token.string.rstrip() for token in tokens if token.type == tokenize.COMMENT}


def suspect(texts: Mapping[str, str], slot: str) -> WriteSuspect:
    """What is suspected of a slot in a program of these files."""
    files = [SourceFile(path, text, "") for path, text in texts.items()]
    with indexing.roomy(), indexing.indexed(files, None, 1, silent, list) as index:
        imported = {i.module.partition(".")[0] for summary, _ in index.modules for i in summary.imports if not i.level}
        found = link.suspects(link.link(index.modules, models.select(imported)))
    return next(one for one in found if isinstance(one, WriteSuspect) and one.place.slot == slot)
