"""A setting to what the override is asked for first, as a sibling does it."""

import libcst as cst
import pytest
from leaklint.codemods.resolve_first import ask_first
from leaklint.finding import Fix, Safety
from leaklint.syntax import Files

from pairs import apply, comments

BASE = """class Client:
    async def overrides(self, config): ...

    def overrides_now(self, config): ...

    async def first(self, config):
        key, url, _ = await self.overrides(config)
        return key, url

    def second(self, config):
        key, _, _ = self.overrides_now(config)
        return key
"""
BEFORE = """from base import Client


class Other(Client):
    async def ask(self, config):
        # where the key is
        key = settings.other_key or ENV  # c
        return make(key)
"""
AFTER = """from base import Client


class Other(Client):
    async def ask(self, config):
        # where the key is
        key, _, _ = await self.overrides(config)
        if not key:
            key = settings.other_key or ENV  # c
        return make(key)
"""


def asked(text: str, base: str = BASE) -> Fix:
    files = Files({"a.py": text, "base.py": base})
    syntax = files["a.py"]
    node = next(n for n in syntax.walk(syntax.module) if isinstance(n, cst.Attribute) and "_key" in n.attr.value)
    return ask_first(syntax, node, "config", files)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (BEFORE, AFTER),
        (BEFORE.replace("\n", "\r\n"), AFTER.replace("\n", "\r\n")),
        (
            BEFORE.replace("async ", ""),
            AFTER.replace("async ", "").replace("await self.overrides", "self.overrides_now"),
        ),
        (
            "def one(config):\n    key = own(config)\n\n\ndef two(config):\n    key = settings.a_key\n    return key\n",
            "def one(config):\n    key = own(config)\n\n\ndef two(config):\n    key = own(config)\n    if not key:\n"
            "        key = settings.a_key\n    return key\n",
        ),
    ],
)
def test_asked_first(before: str, after: str) -> None:
    fix = asked(before)
    assert fix.refused == ""
    assert fix.safety is Safety.SUGGESTED
    result = apply(before, fix.edits)
    assert result == after
    assert comments(result) == comments(before)
    compile(result, "a.py", "exec")


@pytest.mark.parametrize(
    ("before", "base", "reason"),
    [
        (BEFORE, "class Client: ...\n", "no other function asks `config` for `key`: a.py:7"),
        (BEFORE.replace("Other(Client)", "Other"), BASE, "no other function asks `config` for `key`: a.py:7"),
        (BEFORE.replace("async ", ""), BASE.replace("self.overrides_now(config)", "1"), "no other function asks"),
        (BEFORE.replace("self, config", "self"), BASE, "`config` is no parameter at a.py:7"),
        (BEFORE.replace("key = ", "self.key = "), BASE, "it is not assigned to a variable at a.py:7"),
        (BEFORE.replace(" or ENV", " or (\n            ENV)"), BASE, "the assignment takes several lines at a.py:7"),
        (
            BEFORE,
            BASE + "\n    async def third(self, config):\n        key = await self.other(config)\n",
            "others ask `config` for `key` in different ways: a.py:7",
        ),
        (
            "def one(config, own):\n    key = own(config)\n\n\ndef two(config):\n    key = settings.a_key\n",
            BASE,
            "no other function asks `config` for `key`: a.py:6",
        ),
    ],
)
def test_refused(before: str, base: str, reason: str) -> None:
    fix = asked(before, base)
    assert fix.refused.startswith(reason)
    assert fix.edits == ()
