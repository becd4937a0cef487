"""Attributes of a class to attributes of each object: pairs of files before and after, and refusals."""

import libcst as cst
import pytest
from leaklint.codemods.move_to_init import move_to_init
from leaklint.finding import Fix
from leaklint.syntax import Files

from pairs import Case, cases, check


def convert(case: Case, files: Files) -> Fix:
    owner, name = case.settings["slot"].split(".")
    syntax = files["before.py"]
    classes = (node for node in syntax.walk(syntax.module) if isinstance(node, cst.ClassDef))
    return move_to_init(syntax, next(node for node in classes if node.name.value == owner), name, files)


@pytest.mark.parametrize("case", cases("move_to_init"), ids=lambda case: case.name)
def test_case(case: Case) -> None:
    check(case, lambda files: convert(case, files))


@pytest.mark.parametrize("case", [case for case in cases("move_to_init") if case.after], ids=lambda case: case.name)
def test_a_second_conversion_is_refused(case: Case) -> None:
    fix = convert(case, Files({"before.py": case.after or ""}))
    assert fix.edits == () or "default_factory=" in (case.after or "")
