"""A look-up and the write that depends on it, made one step."""

import libcst as cst
import pytest
from leaklint.codemods.lock import hold_lock, use_setdefault
from leaklint.finding import Fix, Safety, Span
from leaklint.syntax import Syntax

from pairs import apply, comments


def span_of(syntax: Syntax, code: str, kind: type[cst.CSTNode]) -> Span:
    """The range of the first node of the kind that reads like this."""
    return next(syntax.span(n) for n in syntax.walk(syntax.module) if isinstance(n, kind) and syntax.code(n) == code)


def setdefault(text: str) -> Fix:
    syntax = Syntax("a.py", text)
    look_up = span_of(syntax, "k not in m", cst.Comparison)
    act = next(syntax.span(n) for n in syntax.walk(syntax.module) if isinstance(n, cst.Assign))
    return use_setdefault(syntax, look_up, act)


def test_an_insert_becomes_setdefault() -> None:
    before = "if k not in m:\n    m[k] = []\nm[k].append(1)  # last\n"
    fix = setdefault(before)
    assert fix.safety is Safety.SUGGESTED
    assert apply(before, fix.edits) == "m.setdefault(k, [])\nm[k].append(1)  # last\n"


def test_a_value_that_takes_work_is_made_behind_the_look_up() -> None:
    before = "if k not in m:  # new\n    m[k] = Room(k)  # c\nm[k].append(1)\n"
    after = "if k not in m:  # new\n    m.setdefault(k, Room(k))  # c\nm[k].append(1)\n"
    assert apply(before, setdefault(before).edits) == after


@pytest.mark.parametrize(
    ("before", "reason"),
    [
        ("if k not in m:\n    m[k] = []\n    log()\n", "more than one insert depends on the look-up at a.py:1"),
        ("if k not in m:\n    m[k] = []\nelse:\n    log()\n", "more than one insert depends on the look-up at a.py:1"),
        ("if a and k not in m:\n    m[k] = []\n", "more than one insert depends on the look-up at a.py:1"),
        ("if k not in m:  # new\n    m[k] = []\n", "there is a comment in the branch at a.py:1"),
    ],
)
def test_what_setdefault_would_not_say_is_refused(before: str, reason: str) -> None:
    assert (setdefault(before).refused, setdefault(before).edits) == (reason, ())


BEFORE = """
class Desk:
    def __init__(self):
        self.rooms: dict[str, list] = {}  # by session

    async def room(self, key):
        log(key)
        # look first
        if key not in self.rooms:
            room = await open_room(key)

            self.rooms[key] = room
        return self.rooms[key]
"""
AFTER = """import asyncio
from weakref import WeakValueDictionary

class Desk:
    def __init__(self):
        self.rooms: dict[str, list] = {}  # by session
        self.rooms_locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def room(self, key):
        log(key)
        async with self.rooms_locks.setdefault(key, asyncio.Lock()):
            # look first
            if key not in self.rooms:
                room = await open_room(key)

                self.rooms[key] = room
        return self.rooms[key]
"""


def hold(text: str) -> Fix:
    syntax = Syntax("a.py", text)
    look_up = span_of(syntax, "key not in self.rooms", cst.Comparison)
    stores = [
        n
        for n in syntax.walk(syntax.module)
        if isinstance(n, cst.Assign) and syntax.code(n) == "self.rooms[key] = room"
    ]
    act = next(span for span in map(syntax.span, stores) if span > look_up)
    return hold_lock(syntax, look_up, act, "self.rooms", "key")


def test_a_lock_for_each_key_is_held_over_both() -> None:
    fix = hold(BEFORE)
    assert (fix.refused, fix.safety) == ("", Safety.SUGGESTED)
    after = apply(BEFORE, fix.edits)
    assert after.split() == AFTER.split()
    assert after.partition("class")[2] == AFTER.partition("class")[2]
    assert comments(after) == comments(BEFORE)
    compile(after, "a.py", "exec")


SECOND = """
    async def again(self, key):
        if key not in self.rooms:
            room = await open_room(key)
            self.rooms[key] = room
"""


def test_the_locks_of_another_look_up_are_used_again() -> None:
    once = apply(BEFORE, hold(BEFORE).edits).replace("not in", "in") + SECOND
    fix = hold(once)
    assert fix.refused == ""
    after = apply(once, fix.edits)
    assert after.count("= WeakValueDictionary()") == 1
    assert after.endswith(
        """
    async def again(self, key):
        async with self.rooms_locks.setdefault(key, asyncio.Lock()):
            if key not in self.rooms:
                room = await open_room(key)
                self.rooms[key] = room
"""
    )


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("async def room", "def room", "the look-up is in no coroutine at a.py:9"),
        (
            "= {}  # by session",
            "= load()\n        self.rooms_locks = 1",
            "`self.rooms_locks` is the name of something else in a.py",
        ),
        (
            "self.rooms: dict[str, list] = {}",
            "self.other = {}",
            "`self.rooms` is not made where a lock could be made beside it",
        ),
        ("open_room(key)", 'open_room("""\n""")', "a string of several lines would change at a.py:10"),
        ("open_room(key)", "self.room(key)", "`room` at a.py:6 uses `self.rooms` too, and may wait for the same lock"),
    ],
)
def test_a_lock_that_would_not_be_right_is_refused(old: str, new: str, reason: str) -> None:
    fix = hold(BEFORE.replace(old, new))
    assert (fix.refused, fix.edits) == (reason, ())


def test_an_attribute_gets_one_lock() -> None:
    text = """import asyncio

class Desk:
    def __init__(self):
        self.room = None

    async def open(self):
        if self.room is None:
            self.room = await open_room()
        return self.room
"""
    syntax = Syntax("a.py", text)
    look_up = span_of(syntax, "self.room is None", cst.Comparison)
    act = span_of(syntax, "self.room = await open_room()", cst.Assign)
    fix = hold_lock(syntax, look_up, act, "self.room", "")
    assert fix.title == "Hold a lock over the look-up and the write"
    assert apply(text, fix.edits).splitlines()[5:12] == [
        "        self.room_lock = asyncio.Lock()",
        "",
        "    async def open(self):",
        "        async with self.room_lock:",
        "            if self.room is None:",
        "                self.room = await open_room()",
        "        return self.room",
    ]


def test_the_map_itself_is_no_callee() -> None:
    text = BEFORE.replace("async def room(", "async def get(").replace(
        "if key not in self.rooms", "if not self.rooms.get(key)"
    )
    syntax = Syntax("a.py", text)
    look_up = span_of(syntax, "self.rooms.get(key)", cst.Call)
    act = span_of(syntax, "self.rooms[key] = room", cst.Assign)
    assert hold_lock(syntax, look_up, act, "self.rooms", "key").refused == ""
