"""The help desk, driven by two customers on every channel before and after `leaklint fix`."""

from pathlib import Path
from typing import Any

import pytest
from drive import copy_app, drive, fix

ANN = "ann's account is locked"
BOB = "bob's parcel is lost"

RIGHT = ["web", "visits", "user_drafts", "call_backs", "partners_v3"]
FIXABLE = [
    "timestamp",
    "fixed",
    "user",
    "browser",
    "lounge",
    "tickets",
    "drafts",
    "partners_v1",
    "partners_v2",
]
UNFIXABLE = ["short_survey", "long_survey"]


def play(app: Path, scenario: str) -> Any:
    return drive(app, "provider_ids.py", scenario)


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copy_app("provider_ids", tmp_path_factory.mktemp("before"))


@pytest.fixture(scope="module")
def fixed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    app = copy_app("provider_ids", tmp_path_factory.mktemp("after"))
    fix(app)
    return app


@pytest.fixture(scope="module")
def channels(app: Path) -> Any:
    return play(app, "channels")


@pytest.fixture(scope="module")
def fixed_channels(fixed: Path) -> Any:
    return play(fixed, "channels")


def said(conversation: Any) -> list[str]:
    """What customers wrote: every other line is the provider's answer to the one before it."""
    lines = conversation["lines"]
    for text, answer in zip(lines[::2], lines[1::2], strict=True):
        assert answer.startswith(conversation["provider"])
        assert answer.endswith(f"You wrote '{text}'.")
    return list(lines[::2])


def check_sessions_are_apart(seen: Any) -> None:
    assert said(seen["ann"]) == [ANN]
    assert said(seen["bob"]) == [BOB]
    assert said(seen["ann_later"]) == [ANN, "and now?"]
    assert seen["ann"]["session_id"] == seen["ann_later"]["session_id"] != seen["bob"]["session_id"]


def check_a_single_customer_is_served(app: Path) -> None:
    seen = play(app, "alone")
    session_id = seen["chat"]["session_id"]
    assert said(seen["chat"]) == [ANN]
    assert said(seen["later"]) == [ANN, "thanks"]
    assert seen["shown"] == seen["later"]
    assert seen["table"][0] == "session_id,provider,line"
    assert [line.split(",")[0] for line in seen["table"][1:]] == [session_id] * 4
    assert len(seen["archive"]["archive_id"]) == 64
    assert (seen["closed"], seen["gone"]) == (204, 404)
    assert seen["visit"] == "visit-1"
    assert seen["app_chat"]
    assert (seen["health"]["opened"], seen["health"]["open"]) == (4, 2)


def test_a_single_customer_is_served(app: Path) -> None:
    check_a_single_customer_is_served(app)


def test_a_single_customer_is_served_once_fixed(fixed: Path) -> None:
    check_a_single_customer_is_served(fixed)


@pytest.mark.parametrize("channel", RIGHT)
def test_sessions_of_a_right_channel_are_apart(channels: Any, channel: str) -> None:
    check_sessions_are_apart(channels[channel])


@pytest.mark.parametrize("channel", [*FIXABLE, *UNFIXABLE])
def test_one_customer_reads_the_conversation_of_another(channels: Any, channel: str) -> None:
    seen = channels[channel]
    assert seen["ann"]["session_id"] == seen["bob"]["session_id"]
    assert seen["ann"]["provider"] == seen["bob"]["provider"]
    assert said(seen["bob"]) == [ANN, BOB]


@pytest.mark.parametrize("channel", [*RIGHT, *FIXABLE])
def test_conversations_are_apart_once_fixed(fixed_channels: Any, channel: str) -> None:
    check_sessions_are_apart(fixed_channels[channel])


def test_orders_without_a_session_share_one(app: Path) -> None:
    seen = play(app, "orders")
    assert said(seen["bob"]) == ["please follow up: order 1", "please follow up: order 2"]


def test_orders_without_a_session_get_one_each_once_fixed(fixed: Path) -> None:
    seen = play(fixed, "orders")
    assert said(seen["ann"]) == ["please follow up: order 1"]
    assert said(seen["bob"]) == ["please follow up: order 2"]
    assert said(seen["in_session"]) == ["please follow up: order 3"]
    assert seen["in_session"]["session_id"] == "shop-7"


def check_named_sessions_are_kept(seen: Any) -> None:
    assert seen["partners_v1"]["session_id"] == "ann-session"
    assert seen["partners_v2"]["session_id"] == "bob-session"
    assert said(seen["partners_v2"]) == [BOB]
    assert [tutor["session_id"] for tutor in seen["tutor"]] == ["ann-tutor", "bob-tutor"]
    assert said(seen["tutor"][1]) == [f"draft an answer to {BOB}"]
    assert [faq["turns"] for faq in seen["faq"]] == [[ANN], [BOB]]


def test_named_sessions_are_kept(app: Path) -> None:
    check_named_sessions_are_kept(play(app, "named"))


def test_named_sessions_are_kept_once_fixed(fixed: Path) -> None:
    check_named_sessions_are_kept(play(fixed, "named"))


def test_an_assistant_works_in_the_session_of_its_first_caller(app: Path) -> None:
    _, bob = play(app, "named")["assistant"]
    assert bob["session_id"] == "ann-assistant"
    assert said(bob) == [f"draft an answer to {ANN}", f"draft an answer to {BOB}"]


def test_an_assistant_works_in_the_session_of_its_caller_once_fixed(fixed: Path) -> None:
    ann, bob = play(fixed, "named")["assistant"]
    assert (ann["session_id"], bob["session_id"]) == ("ann-assistant", "bob-assistant")
    assert said(bob) == [f"draft an answer to {BOB}"]


def test_the_bot_answers_everybody_in_one_thread(app: Path) -> None:
    assert play(app, "named")["bot"][1]["turns"] == [ANN, BOB]


def test_the_bot_answers_each_session_in_its_thread_once_fixed(fixed: Path) -> None:
    seen = play(fixed, "named")
    assert [answer["turns"] for answer in seen["bot"]] == [[ANN], [BOB]]
    assert seen["bot_again"]["turns"] == [ANN, "and now?"]


def test_guests_get_ids_of_others(app: Path) -> None:
    seen = play(app, "many")
    assert seen["/guests/chats"] < 2000
    assert seen["/guests/short"] < 2000
    assert seen["/web/chats"] == 2000


def test_guests_get_ids_of_their_own_once_fixed(fixed: Path) -> None:
    assert set(play(fixed, "many").values()) == {2000}


def test_two_workers_number_their_calls_alike(app: Path) -> None:
    first, second = play(app, "worker"), play(app, "worker")
    assert first["calls"] == second["calls"]
    assert first["instance"] != second["instance"]


def test_two_workers_name_their_calls_apart_once_fixed(fixed: Path) -> None:
    first, second = play(fixed, "worker"), play(fixed, "worker")
    assert len({*first["calls"], *second["calls"]}) == 4
    assert first["numbers"] == second["numbers"] == ["A001", "A002"]
