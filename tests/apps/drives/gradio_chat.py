"""Two people on the chat page, in turns: each event of theirs calls the listener that the page has registered."""

from collections.abc import AsyncIterator
from typing import Any
from unittest.mock import patch

import gradio as gr
from app import create_demo
from drive import play
from gradio.state_holder import SessionState

RECORDINGS = 300


class Person:
    """One browser session at the page."""

    def __init__(self, demo: gr.Blocks, session_hash: str) -> None:
        self._demo = demo
        self._session_hash = session_hash
        self._state = SessionState(demo)
        self._listeners = {listener.api_name: listener for listener in demo.fns.values()}

    async def steps(self, event: str, *inputs: Any) -> AsyncIterator[list[Any]]:
        """What the page shows after each step of a listener; a listener that does not stream has one step."""
        listener, iterator = self._listeners[event], None
        while True:
            step = await self._demo.process_api(
                listener,
                list(inputs),
                state=self._state,
                request=gr.Request(session_hash=self._session_hash, username=None),
                iterator=iterator,
                simple_format=False,
            )
            if iterator is not None and not step["is_generating"]:
                return  # a generator ends in a step of its own that shows nothing new
            yield step["data"]
            if not step["is_generating"]:
                return
            iterator = step["iterator"]

    async def do(self, event: str, *inputs: Any) -> list[Any]:
        """What the page shows in the end."""
        return [shown async for shown in self.steps(event, *inputs)][-1]


def two_people() -> tuple[Person, Person]:
    demo = create_demo()
    return Person(demo, "ann-session"), Person(demo, "bob-session")


async def in_turns(ann: AsyncIterator[list[Any]], bob: AsyncIterator[list[Any]]) -> dict[str, list[Any]]:
    """What both saw while their listeners took one step each in turns, Ann's first."""
    waiting = {"ann": ann, "bob": bob}
    seen: dict[str, list[Any]] = {"ann": [], "bob": []}
    while waiting:
        for name, steps in list(waiting.items()):
            try:
                seen[name].append(await anext(steps))
            except StopAsyncIteration:
                del waiting[name]
    return seen


async def together() -> Any:
    """Both people use every tab."""
    ann, bob = two_people()
    return {
        "chat": await chat(ann, bob),
        "quick": await in_turns(ann.steps("quick_question", "red apples"), bob.steps("quick_question", "blue")),
        "summary": await in_turns(
            ann.steps("shorten", "ann wrote this\nand then that"),
            bob.steps("shorten", "bob wrote more\nthan she did\nall day long"),
        ),
        "notes": [await ann.do("add_note", "ann's pin"), await bob.do("add_note", "bob's list")],
        "profile": [await ann.do("save_name", "Ann"), await bob.do("save_name", "Bob"), await ann.do("greet")],
        "draft": [await ann.do("take_facts", "rent"), await bob.do("take_facts", "job"), await ann.do("write_letter")],
        "document": await document(ann, bob),
        "feedback": [await ann.do("send_feedback", "too slow"), await bob.do("send_feedback", "fine")],
        "kept": [await ann.do("keep_feedback", "secret"), await bob.do("restore_feedback")],
        "coach": [await ann.do("coach", "ann's own story"), await bob.do("coach", "bob's essay")],
        "coach_later": await ann.do("coach", "goes on"),
        "share": await share(ann, bob),
        "recordings": await recordings(),
        "settings": await settings(ann, bob),
    }


async def chat(ann: Person, bob: Person) -> Any:
    """Both send a message at once, look at the history, and Ann clears hers."""
    streams = await in_turns(ann.steps("chat", "my salary", []), bob.steps("chat", "hello", []))
    histories = {"ann": (await ann.do("history"))[0], "bob": (await bob.do("history"))[0]}
    cleared = await ann.do("clear_chat")
    return {
        "ann": texts(streams["ann"][-1]),
        "bob": texts(streams["bob"][-1]),
        "histories": histories,
        "cleared": texts(cleared),
        "history_of_bob_later": (await bob.do("history"))[0],
    }


async def document(ann: Person, bob: Person) -> Any:
    loaded = [await ann.do("load_document", "ann.txt", "salary 10"), await bob.do("load_document", "bob.txt", "rent 5")]
    return [*loaded, await ann.do("search_document", "rent")]


async def share(ann: Person, bob: Person) -> Any:
    """Both share a text within one tick of the clock, and Ann reads hers."""
    with patch("time.time", return_value=1_700_000_000.0):
        (of_ann,), (of_bob,) = await ann.do("share", "ann's poem"), await bob.do("share", "bob's poem")
    read = await ann.do("read_share", of_ann)
    await bob.do("withdraw_share", of_bob)
    return {"same": of_ann == of_bob, "read": read, "withdrawn": await bob.do("read_share", of_bob)}


async def recordings() -> int:
    """How many different ids that many recordings get, each of another person."""
    demo = create_demo()
    return len({(await Person(demo, f"person-{n}").do("start_recording"))[1] for n in range(RECORDINGS)})


async def settings(ann: Person, bob: Person) -> Any:
    await ann.do("set_language", "de", None)
    await bob.do("set_tone", "friendly")
    return {"ann": await ann.do("preview", None), "bob": await bob.do("preview", None)}


async def alone() -> Any:
    """One person on every tab."""
    ann, _ = two_people()
    answer = await ann.do("chat", "red apples", [])
    await ann.do("start_recording")
    await ann.do("take_facts", "rent")
    seen = {
        "banner": await ann.do("load"),
        "answer": texts(answer),
        "again": texts(await ann.do("chat", "and pears", answer[0])),
        "history": (await ann.do("history"))[0].splitlines(),
        "count": await ann.do("message_count"),
        "quick": [shown async for shown in ann.steps("quick_question", "red apples")],
        "summary": [shown async for shown in ann.steps("shorten", "the first part\nthe second part")],
        "notes": [await ann.do("add_note", "one"), await ann.do("add_note", "two"), await ann.do("count_notes")],
        "profile": [await ann.do("save_name", "Ann"), await ann.do("greet")],
        "letter": await ann.do("write_letter"),
        "heard": [await ann.do("heard", "one", None), await ann.do("heard", "two", None)],
        "document": [await ann.do("load_document", "a.txt", "x\ny"), await ann.do("search_document", "y")],
        "feedback": [await ann.do("send_feedback", "fine"), await ann.do("verdict", "good")],
        "coach": [await ann.do("coach", "my own story"), await ann.do("coach", "goes on")],
        "stats": (await ann.do("stats"))[0].root["messages"],
        "cleared": texts(await ann.do("clear_chat")),
        "history_cleared": await ann.do("history"),
    }
    await ann.do("on_unload")
    return seen


def texts(shown: list[Any]) -> list[str]:
    """The text of each message in a chat."""
    return [part["text"] for message in shown[0] for part in message["content"]]


if __name__ == "__main__":
    play({"alone": alone, "together": together})
