"""What surrounds a request: own defaults of context variables, thread-locals to them, contexts that go along.

Each text is a program of its own, found and mended by its rule.
"""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from leaklint.config import Config
from leaklint.finding import Fix, Safety
from leaklint.run import run

from pairs import apply

APP = "async def app(scope, receive, send):\n"  # an ASGI application: requests run it


def fix_of(folder: Path, rule: str, *texts: str) -> Fix:
    """The fix of the one finding in `a.py`, beside which further texts are `b.py`, ..."""
    for name, text in zip("abc", texts, strict=False):
        (folder / f"{name}.py").write_text(text)
    report = run([folder], Config(root=folder, select=(rule,)))
    assert not report.problems
    [finding] = [f for f in report.findings if f.rule == rule]
    assert finding.fix is not None
    return finding.fix


def fixed(folder: Path, rule: str, text: str) -> str:
    """The text mended, with nothing left to find."""
    fix = fix_of(folder, rule, text)
    assert fix.refused == ""
    after = apply(text, fix.edits)
    compile(after, "a.py", "exec")
    (folder / "a.py").write_text(after)
    assert not run([folder], Config(root=folder, select=(rule,))).findings
    return after


# --- defaults of context variables ------------------------------------------------------------------------------------


DEFAULT = f"""from contextvars import ContextVar
trail = ContextVar("trail", default=[])
{APP}    trail.get().append(scope["path"])
    await send(trail.get())
"""


def test_a_default_becomes_one_object_a_context(tmp_path: Path) -> None:
    assert fixed(tmp_path, "contextvar-misuse", DEFAULT) == (
        f"""from contextvars import ContextVar
trail = ContextVar("trail", default=None)


def get_trail():
    value = trail.get()
    if value is None:
        value = []
        trail.set(value)
    return value


{APP}    get_trail().append(scope["path"])
    await send(get_trail())
"""
    )


def test_requests_no_longer_meet_in_a_default(tmp_path: Path) -> None:
    def answers(text: str) -> list[list[str]]:
        names: dict[str, Any] = {}
        exec(text, names)
        return [asyncio.run(_answer(names["app"], {"path": path})) for path in ("/a", "/b")]

    assert answers(DEFAULT) == [["/a"], ["/a", "/b"]]
    assert answers(fixed(tmp_path, "contextvar-misuse", DEFAULT)) == [["/a"], ["/b"]]


async def _answer(app: Callable[..., Any], scope: dict[str, str]) -> Any:
    sent: list[Any] = []

    async def send(message: Any) -> None:
        await asyncio.sleep(0)
        sent.append(list(message) if isinstance(message, list) else message)

    await asyncio.create_task(app(scope, None, send))
    return sent[0]


@pytest.mark.parametrize(
    ("declaration", "annotated"),
    [
        ("trail: ContextVar[list[str]] = ContextVar('trail', default=[])", "def get_trail() -> list[str]:"),
        ("trail = ContextVar[list[str]]('trail', default=[])", "def get_trail() -> list[str]:"),
        ("trail: 'ContextVar[list[str]]' = ContextVar('trail', default=[])", "def get_trail():"),
    ],
)
def test_the_type_of_the_value_is_kept(tmp_path: Path, declaration: str, annotated: str) -> None:
    text = DEFAULT.replace('trail = ContextVar("trail", default=[])', declaration)
    after = fixed(tmp_path, "contextvar-misuse", text)
    assert annotated in after
    assert ("list[str] | None]" in after) is ("->" in annotated)


@pytest.mark.parametrize(
    ("more", "refused"),
    [
        ("show = print\nshow(trail)\n", "`trail` is passed on at a.py:7"),
        ("first = lambda: trail.get([])\n", "`trail` is read with a default of its own at a.py:6"),
    ],
)
def test_other_uses_of_the_variable_are_in_the_way(tmp_path: Path, more: str, refused: str) -> None:
    assert fix_of(tmp_path, "contextvar-misuse", DEFAULT + more).refused == refused


BASKET = f"""from contextvars import ContextVar
from threading import Lock
class Basket:
    def __init__(self):
        self.paths = []
    def add(self, path):
        self.paths.append(path)
basket = ContextVar("basket", default=Basket())
{APP}    basket.get().add(scope["path"])
    await send(basket.get().paths)
"""


def test_an_object_of_a_class_may_be_shared_for_a_reason(tmp_path: Path) -> None:
    (tmp_path / "plain").mkdir()
    fix = fix_of(tmp_path / "plain", "contextvar-misuse", BASKET)
    assert (fix.safety, fix.refused) == (Safety.SUGGESTED, "")
    (tmp_path / "locked").mkdir()
    locked = BASKET.replace("self.paths = []", "self.paths, self.lock = [], Lock()")
    refused = fix_of(tmp_path / "locked", "contextvar-misuse", locked).refused
    assert refused == "`Basket` makes a `Lock`, for which it must be shared: a.py:3"
    (tmp_path / "set").mkdir()
    refused = fix_of(tmp_path / "set", "contextvar-misuse", BASKET + "def own():\n    basket.set(Basket())\n").refused
    assert refused == "the default is for all that set no other: a.py:13"


def test_uses_in_other_files_by_another_name_are_in_the_way(tmp_path: Path) -> None:
    other = "from a import trail as t\n\ndef last():\n    return t.get()[-1]\n"
    refused = fix_of(tmp_path, "contextvar-misuse", DEFAULT, other).refused
    assert refused == "`trail` is not imported by its name at b.py:4"


def test_a_default_that_is_made_elsewhere_stays(tmp_path: Path) -> None:
    text = DEFAULT.replace("trail = ", "nothing = []\ntrail = ").replace("default=[]", "default=nothing")
    assert fix_of(tmp_path, "contextvar-misuse", text).refused == "the default of `trail` is made elsewhere"


# --- thread-locals ----------------------------------------------------------------------------------------------------


LOCAL = f"""import threading
state = threading.local()
{APP}    state.user = scope["user"]  # who asks
    await receive()
    await send(state.user)
"""


def test_a_thread_local_becomes_a_context_variable(tmp_path: Path) -> None:
    assert fixed(tmp_path, "thread-local-in-async", LOCAL) == (
        f"""from contextvars import ContextVar
state_user = ContextVar("state_user")
{APP}    state_user.set(scope["user"])  # who asks
    await receive()
    await send(state_user.get())
"""
    )


def test_requests_of_one_thread_no_longer_meet(tmp_path: Path) -> None:
    def answers(text: str) -> list[str]:
        names: dict[str, Any] = {}
        exec(text, names)
        return asyncio.run(_together(names["app"]))

    assert answers(LOCAL) == ["b", "b"]
    assert answers(fixed(tmp_path, "thread-local-in-async", LOCAL)) == ["a", "b"]


async def _together(app: Callable[..., Any]) -> list[str]:
    told: dict[str, str] = {}

    async def request(user: str) -> None:
        async def send(message: str) -> None:
            told[user] = message

        await app({"user": user}, lambda: asyncio.sleep(0.01), send)

    await asyncio.gather(request("a"), request("b"))
    return [told["a"], told["b"]]


def test_reads_by_name_and_further_attributes_are_converted(tmp_path: Path) -> None:
    text = LOCAL.replace("await send(state.user)", "state.tags = {'a': 1}\n    await send(getattr(state, 'user', {}))")
    after = fixed(tmp_path, "thread-local-in-async", text)
    assert "state_tags.set({'a': 1})" in after
    assert "state_user.get({})" in after
    assert 'state_tags = ContextVar("state_tags")' in after


@pytest.mark.parametrize(
    ("asked", "after"),
    [
        ("hasattr(state, 'user')", "if state_user in copy_context():"),
        ("not hasattr(state, 'user')", "if state_user not in copy_context():"),
        ("scope and hasattr(state, 'user')", "if scope and (state_user in copy_context()):"),
    ],
)
def test_whether_an_attribute_is_there_is_whether_the_variable_is_set(tmp_path: Path, asked: str, after: str) -> None:
    text = LOCAL.replace("await receive()", f"if {asked}:\n        await receive()")
    mended = fixed(tmp_path, "thread-local-in-async", text)
    assert after in mended
    assert "from contextvars import ContextVar\nfrom contextvars import copy_context\n" in mended


@pytest.mark.parametrize(
    ("more", "refused"),
    [
        ("    del state.user\n", "`state.user` is not plainly set at a.py:7"),
        ("    state.user += '!'\n", "`state.user` is not plainly set at a.py:7"),
        ("    await send(vars(state))\n", "`state` is passed on at a.py:7"),
        ("    state.user, rest = scope\n", "`state.user` is not plainly set at a.py:7"),
        ("    state.user['name'] = 'a'\n", "`state.user` is changed in place at a.py:7"),
        ("    for state.user in scope: pass\n", "`state.user` is not plainly set at a.py:7"),
        (
            "    try:\n        await send(state.user)\n    except AttributeError:\n        pass\n",
            "AttributeError of `state` is caught at a.py:7",
        ),
    ],
)
def test_what_a_context_variable_does_otherwise_is_in_the_way(tmp_path: Path, more: str, refused: str) -> None:
    assert fix_of(tmp_path, "thread-local-in-async", LOCAL + more).refused == refused


def test_a_class_of_thread_locals_stays(tmp_path: Path) -> None:
    text = LOCAL.replace("state = threading.local()", "class Own(threading.local): pass\nstate = Own()")
    assert fix_of(tmp_path, "thread-local-in-async", text).refused == "`Own` is a class of its own at a.py:3"


# --- contexts that go along -------------------------------------------------------------------------------------------


def _lost(imported: str, call: str) -> str:
    return f"""from contextvars import ContextVar
{imported}
user = ContextVar("user", default="nobody")
def work(text):
    return user.get() + text
{APP}    user.set(scope["user"])
    {call}
"""


THREADS = "from concurrent.futures import ThreadPoolExecutor"


@pytest.mark.parametrize(
    ("imported", "call", "after"),
    [
        (
            THREADS,
            "ThreadPoolExecutor().map(work, items)",
            "ThreadPoolExecutor().map(lambda *items, context=copy_context(): context.copy().run(work, *items), items)",
        ),
        (
            THREADS,
            "ThreadPoolExecutor().submit(work, 'x')",
            "ThreadPoolExecutor().submit(copy_context().run, work, 'x')",
        ),
        (
            "import asyncio",
            "await asyncio.get_running_loop().run_in_executor(None, work, 'x')",
            "await asyncio.get_running_loop().run_in_executor(None, copy_context().run, work, 'x')",
        ),
        (
            "import threading",
            "threading.Thread(target=work, args=('x',)).start()",
            "threading.Thread(target=copy_context().run, args=(work, 'x',)).start()",
        ),
        (
            "import threading",
            "threading.Thread(target=lambda: work('x'), daemon=True).start()",
            "threading.Thread(target=copy_context().run, daemon=True, args=(lambda: work('x'),)).start()",
        ),
    ],
)
def test_a_function_runs_in_a_copy_of_the_context(tmp_path: Path, imported: str, call: str, after: str) -> None:
    mended = fixed(tmp_path, "context-lost", _lost(imported, call))
    assert f"    {after}\n" in mended
    assert "from contextvars import ContextVar, copy_context\n" in mended


def test_what_the_request_set_is_seen_in_the_thread(tmp_path: Path) -> None:
    def answer(text: str) -> str:
        names: dict[str, Any] = {}
        exec(text, names)
        return str(contextvars.Context().run(lambda: asyncio.run(_answer(names["app"], {"user": "a"}))))

    text = _lost(THREADS, "await send(ThreadPoolExecutor().submit(work, '!').result())")
    assert answer(text) == "nobody!"
    assert answer(fixed(tmp_path, "context-lost", text)) == "a!"


@pytest.mark.parametrize(
    ("imported", "call", "refused"),
    [
        (
            "from concurrent.futures import ProcessPoolExecutor",
            "ProcessPoolExecutor().submit(work, 'x')",
            "a context cannot be sent to another process: pass the value as an argument",
        ),
        (
            "import threading",
            "given = ('x',)\n    threading.Thread(target=work, args=given).start()",
            "the arguments are not written out at a.py:9",
        ),
        ("import threading", "threading.Timer(1, work, ('x',)).start()", "the arguments are not written out at a.py:8"),
    ],
)
def test_what_cannot_take_a_context_along_says_so(tmp_path: Path, imported: str, call: str, refused: str) -> None:
    assert fix_of(tmp_path, "context-lost", _lost(imported, call)).refused == refused
