# fix: Keep `_history` in `st.session_state`
# fix: Keep `topic` in `st.session_state`
# fix: Keep `lines` in `st.session_state`
# rule: global-rebind
# rule: shared-container-write
"""What all pages import."""

import streamlit as st

_history: list[str] = ["welcome"]
topic = ""


class Diary:
    def __init__(self) -> None:
        self.title = "a diary"
        self.lines: list[str] = []

    def keep(self, line: str) -> None:
        self.lines.append(line)

    def forget(self) -> None:
        self.lines = []


@st.cache_resource
def diary() -> Diary:
    return Diary()


def say(text: str) -> None:
    global topic
    _history.append(text)
    if text.startswith("about "):
        topic = text.removeprefix("about ")


def shown() -> str:
    return f"{topic}: {', '.join(_history)}"
