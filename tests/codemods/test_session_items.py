"""What requests share, to what the framework keeps for each session: plain programs, and why others stay."""

import ast

import pytest
from leaklint.codemods.session_items import keep_in_session
from leaklint.finding import Fix
from leaklint.syntax import Files

from pairs import apply, suspect

STORE = """_lines: list[str] = []  # all of them


class Diary:
    def __init__(self) -> None:
        self.pages = []

    def keep(self, line: str) -> None:
        self.pages.append(line)


def say(line: str) -> None:
    _lines.append(line)


def shown() -> int:
    return len(_lines)


diary = Diary()
"""
PAGE = """import streamlit as st

import store

line = st.text_input("line")
store.say(line)
store.diary.keep(line)
if store._lines:
    st.write(store.shown(), store.diary.pages)
"""


def converted(store: str, page: str, slot: str) -> tuple[Fix, dict[str, str]]:
    """The conversion of what `slot` keeps, and the files after it."""
    texts = {"store.py": store, "page.py": page}
    fix = keep_in_session(suspect(texts, slot), Files(texts))
    changed = {path: apply(text, [one for one in fix.edits if one.path == path]) for path, text in texts.items()}
    for text in changed.values():
        ast.parse(text)
    return fix, changed


def test_a_name_is_an_item_wherever_it_is_used() -> None:
    fix, changed = converted(STORE, PAGE, "_lines")
    assert fix.refused == ""
    guard = 'if "lines" not in st.session_state:\n{0}    st.session_state["lines"] = []\n{0}'
    assert changed["store.py"].startswith("import streamlit as st\n\n# all of them\n")
    assert f'    {guard.format("    ")}st.session_state["lines"].append(line)\n' in changed["store.py"]
    assert f'    {guard.format("    ")}return len(st.session_state["lines"])\n' in changed["store.py"]
    assert f'{guard.format("")}if st.session_state["lines"]:\n' in changed["page.py"]


def test_an_attribute_of_the_one_object_is_an_item_that_says_its_class() -> None:
    fix, changed = converted(STORE, PAGE, "pages")
    assert fix.refused == ""
    assert "    def __init__(self) -> None:\n        pass\n" in changed["store.py"]
    assert '        st.session_state["diary_pages"].append(line)\n' in changed["store.py"]
    assert 'st.write(store.shown(), st.session_state["diary_pages"])' in changed["page.py"]


def test_a_value_that_is_set_first_needs_no_first_value() -> None:
    store = "topic = ''\n\ndef say(line):\n    global topic\n    topic = line\n    return topic\n"
    page = PAGE.partition("store.diary")[0] + "st.write(store.topic)\n"
    fix, changed = converted(store, page, "topic")
    assert fix.refused == ""
    said = 'def say(line):\n    st.session_state["topic"] = line\n    return st.session_state["topic"]\n'
    assert changed["store.py"].endswith(said)
    assert 'if "topic" not in st.session_state:\n    st.session_state["topic"] = \'\'\n' in changed["page.py"]


def test_where_there_are_calls_for_it_they_are_made() -> None:
    bot = """import chainlit as cl

lines = []


@cl.on_message
async def answer(message: cl.Message) -> None:
    global lines
    if message.content == "clear":
        lines = []
    lines.append(message.content)
    await cl.Message("\\n".join(lines)).send()
"""
    fix = keep_in_session(suspect({"bot.py": bot}, "lines"), Files({"bot.py": bot}))
    assert fix.refused == ""
    assert apply(bot, fix.edits).partition("-> None:\n")[2] == (
        '    if cl.user_session.get("lines") is None:\n'
        '        cl.user_session.set("lines", [])\n'
        '    if message.content == "clear":\n'
        '        cl.user_session.set("lines", [])\n'
        '    cl.user_session.get("lines").append(message.content)\n'
        '    await cl.Message("\\n".join(cl.user_session.get("lines"))).send()\n'
    )


@pytest.mark.parametrize(
    ("slot", "old", "new", "reason"),
    [
        ("_lines", "= []  #", "= [min(1, 2)]  #", "`_lines` does not get one plain first value in store.py"),
        ("_lines", "diary = D", "_lines.append('hello')\ndiary = D", "`_lines` is used when the module is loaded at"),
        ("_lines", "    return len(_lines)", "    return len(globals()['_lines'])", "`_lines` is named in a string at"),
        (
            "_lines",
            "def shown() -> int:",
            "def shown() -> int:\n    Thread(target=say)",
            "`say` may run where no request",
        ),
        ("pages", "diary = D", "other = Diary()\ndiary = D", "there may be several objects of `Diary`: store.py:4"),
        ("pages", "class Diary:", "class Diary(Base):", "there may be several such objects: store.py:6"),
        ("pages", "= []\n", "= [min(1, 2)]\n", "`pages` does not get one plain first value at store.py:6"),
    ],
)
def test_what_is_not_plain_is_refused_with_its_place(slot: str, old: str, new: str, reason: str) -> None:
    assert old in STORE
    fix, _ = converted(STORE.replace(old, new), PAGE, slot)
    assert fix.edits == ()
    assert fix.refused.startswith(reason)


def test_names_of_two_modules_do_not_become_one_item() -> None:
    page = PAGE + "\n_lines = 3\n"
    fix, changed = converted(STORE, page, "_lines")
    assert fix.refused == ""
    assert 'st.session_state["store_lines"].append(line)' in changed["store.py"]
    taken, _ = converted(STORE, PAGE + "st.session_state.lines = 3\n", "_lines")
    assert taken.refused == "`st.session_state` has a `lines` already: page.py:10"
