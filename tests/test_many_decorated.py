"""A decorator that a whole program uses: each function that it wraps is called by its own callers alone."""

from __future__ import annotations

from pathlib import Path

from leaklint.check import check
from leaklint.config import Config
from leaklint.files import SourceFile

_HEAD = """
from functools import wraps

from fastapi import FastAPI

app = FastAPI()


class Desk:
    def __init__(self):
        self.guest = ""


desk = Desk()


def timed(function):
    @wraps(function)
    def measure(*args, **kwargs):
        return function(*args, **kwargs)

    return measure


@timed
def seat(guest):
    desk.guest = guest
    return desk.guest
"""
_OTHER = """
@timed
def step_{n}(text):
    return text.upper()
"""
_UNUSED = """
@timed
def move(guest):
    desk.moved = guest
    return desk.moved


@app.post("/steps")
def steps(text):
    return step_997(step_998(step_999(text)))
"""
_HANDLER = """
@app.post("/seat")
def take(guest):
    return seat(guest)
"""


def _told(text: str) -> list[str]:
    analysis = check([SourceFile("app.py", text, "")], Config(root=Path()))
    return [finding.message.split("`")[1] for finding in analysis.findings]


def test_of_a_thousand_decorated_functions_only_those_called_are_reached() -> None:
    many = "".join(_OTHER.format(n=n) for n in range(1000))
    assert _told(_HEAD + many + _UNUSED) == []
    assert _told(_HEAD + many + _UNUSED + _HANDLER) == ["desk.guest"]
