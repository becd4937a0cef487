"""A sum of thousands of terms, as generated code has them: what goes into it is seen, whatever stands around it."""

from __future__ import annotations

from pathlib import Path

import pytest

from leaklint.check import check
from leaklint.config import Config
from leaklint.files import SourceFile

_PROGRAM = """
from fastapi import FastAPI

app = FastAPI()


class Desk:
    guest = ""
    total = 0


desk = Desk()


@app.get("/seat")
def seat(guest: str, number: int):
    desk.guest = {texts}
    desk.total += {numbers}
    return desk.guest
"""
_MANY = 4_000


@pytest.mark.parametrize("at", [0, _MANY // 2, _MANY])
def test_what_stands_anywhere_in_a_long_sum_is_kept(at: int) -> None:
    texts = [f'"{n}"' for n in range(_MANY)]
    texts.insert(at, "guest")
    text = _PROGRAM.format(texts=" + ".join(texts), numbers=" + ".join(["1"] * _MANY))
    report = check([SourceFile("app.py", text, "")], Config(root=Path()))
    assert not report.problems
    assert [(f.rule, f.span.line) for f in report.findings] == [("shared-attribute-write", 17)]
