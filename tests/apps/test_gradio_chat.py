"""The chat page, driven by two people at once before and after `leaklint fix`."""

from pathlib import Path
from typing import Any

import pytest
from drive import copy_app, drive, fix


def play(app: Path, scenario: str) -> Any:
    return drive(app, "gradio_chat.py", scenario, env={"GRADIO_ANALYTICS_ENABLED": "False"})


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copy_app("gradio_chat", tmp_path_factory.mktemp("before"))


@pytest.fixture(scope="module")
def fixed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    app = copy_app("gradio_chat", tmp_path_factory.mktemp("after"))
    fix(app)
    return app


@pytest.fixture(scope="module")
def mixed(app: Path) -> Any:
    return play(app, "together")


@pytest.fixture(scope="module")
def apart(fixed: Path) -> Any:
    return play(fixed, "together")


def check_a_single_person_is_served(app: Path) -> None:
    first = ["red apples", "You said: red apples (line 2)"]
    assert play(app, "alone") == {
        "banner": ["1 visits since the start"],
        "answer": first,
        "again": [*first, "and pears", "You said: and pears (line 4)"],
        "history": [
            "user: red apples",
            "agent: You said: red apples (line 2)",
            "user: and pears",
            "agent: You said: and pears (line 4)",
        ],
        "count": ["3 messages"],
        "quick": [
            ["You", "..."],
            ["You said:", "..."],
            ["You said: red", "..."],
            ["You said: red apples", "..."],
            ["You said: red apples", "4 words about red apples"],
        ],
        "summary": [["1 paragraphs read"], ["2 paragraphs read"], ["the first part / the second part"]],
        "notes": [["one"], ["one\ntwo"], ["2 notes, 3 messages"]],
        "profile": [["saved"], ["Hello, Ann"]],
        "letter": ["Dear reader, You said: rent"],
        "heard": [["one"], ["one\ntwo"]],
        "document": [["a.txt: 2 lines"], ["y"]],
        "feedback": [["fine"], ["verdict 1: good"]],
        "coach": [
            ["3 words in 1 texts. First: my own story"],
            ["5 words in 2 texts. First: my own story"],
        ],
        "stats": 3,
        "cleared": [],
        "history_cleared": [""],
    }


def test_a_single_person_is_served(app: Path) -> None:
    check_a_single_person_is_served(app)


def test_a_single_person_is_served_once_fixed(fixed: Path) -> None:
    check_a_single_person_is_served(fixed)


def check_settings_are_apart(seen: Any) -> None:
    assert seen == {"ann": ["Hallo (plain, 1 tried)"], "bob": ["Hello (friendly, 0 tried)"]}


def test_settings_of_a_visit_are_apart(mixed: Any) -> None:
    check_settings_are_apart(mixed["settings"])


def test_settings_of_a_visit_are_apart_once_fixed(apart: Any) -> None:
    check_settings_are_apart(apart["settings"])


def test_everybody_talks_in_one_conversation(mixed: Any) -> None:
    seen = mixed["chat"]
    assert seen["bob"] == ["hello", "You said: hello (line 3)"]
    assert "user: my salary" in seen["histories"]["bob"]
    assert seen["histories"]["ann"] == seen["histories"]["bob"]
    assert seen["history_of_bob_later"] == ""


def test_each_session_has_its_conversation_once_fixed(apart: Any) -> None:
    assert apart["chat"] == {
        "ann": ["my salary", "You said: my salary (line 2)"],
        "bob": ["hello", "You said: hello (line 2)"],
        "histories": {
            "ann": "user: my salary\nagent: You said: my salary (line 2)",
            "bob": "user: hello\nagent: You said: hello (line 2)",
        },
        "cleared": [],
        "history_of_bob_later": "user: hello\nagent: You said: hello (line 2)",
    }


def test_the_question_of_one_person_stands_below_the_answer_of_another(mixed: Any) -> None:
    assert mixed["quick"]["ann"][-1] == ["You said: red apples", "4 words about blue"]


def test_the_answer_of_one_person_is_shown_to_another(mixed: Any) -> None:
    assert mixed["quick"]["bob"][-1][0] == "You said: red apples"


def test_questions_and_answers_are_apart_once_fixed(apart: Any) -> None:
    seen = apart["quick"]
    assert seen["ann"][-1] == ["You said: red apples", "4 words about red apples"]
    assert seen["bob"][-1] == ["You said: blue", "3 words about blue"]
    assert [answer for answer, _ in seen["bob"]] == ["You", "You said:", "You said: blue", "You said: blue"]


def test_a_summary_holds_paragraphs_of_another_person(mixed: Any) -> None:
    assert "bob wrote more" in mixed["summary"]["ann"][-1][0]


def test_summaries_are_apart_once_fixed(apart: Any) -> None:
    assert apart["summary"] == {
        "ann": [["1 paragraphs read"], ["2 paragraphs read"], ["ann wrote this / and then that"]],
        "bob": [
            ["1 paragraphs read"],
            ["2 paragraphs read"],
            ["3 paragraphs read"],
            ["bob wrote more / than she did / all day long"],
        ],
    }


def test_a_coach_has_read_the_texts_of_another_person(mixed: Any) -> None:
    assert mixed["coach"][1] == ["5 words in 2 texts. First: ann's own story"]


def test_coaches_are_apart_once_fixed(apart: Any) -> None:
    assert apart["coach"] == [
        ["3 words in 1 texts. First: ann's own story"],
        ["2 words in 1 texts. First: bob's essay"],
    ]
    assert apart["coach_later"] == ["5 words in 2 texts. First: ann's own story"]


def test_two_texts_shared_within_one_tick_are_one(mixed: Any) -> None:
    assert mixed["share"] == {"same": True, "read": ["bob's poem"], "withdrawn": [""]}


def test_shared_texts_are_apart_once_fixed(apart: Any) -> None:
    assert apart["share"] == {"same": False, "read": ["ann's poem"], "withdrawn": [""]}


def test_recordings_get_ids_of_others(mixed: Any) -> None:
    assert mixed["recordings"] < 300


def test_recordings_get_ids_of_their_own_once_fixed(apart: Any) -> None:
    assert apart["recordings"] == 300


def test_notes_of_one_person_are_shown_to_another(mixed: Any) -> None:
    assert mixed["notes"][1] == ["ann's pin\nbob's list"]


def test_one_person_is_greeted_as_another(mixed: Any) -> None:
    assert mixed["profile"][-1] == ["Hello, Bob"]


def test_a_letter_is_written_from_the_facts_of_another_person(mixed: Any) -> None:
    assert mixed["draft"][-1] == ["Dear reader, You said: job"]


def test_one_person_searches_the_document_of_another(mixed: Any) -> None:
    assert mixed["document"] == [["ann.txt: 1 lines"], ["bob.txt: 1 lines"], ["rent 5"]]


def test_feedback_of_one_person_is_shown_to_another(mixed: Any) -> None:
    assert mixed["feedback"][1] == ["too slow\nfine"]


def test_feedback_kept_by_one_person_is_restored_by_another(mixed: Any) -> None:
    assert mixed["kept"] == [["kept"], ["secret"]]


def test_notes_letters_documents_and_feedback_are_apart_once_fixed(apart: Any) -> None:
    assert apart["notes"] == [["ann's pin"], ["bob's list"]]
    assert apart["draft"][-1] == ["Dear reader, You said: rent"]
    assert apart["document"] == [["ann.txt: 1 lines"], ["bob.txt: 1 lines"], [""]]
    assert apart["feedback"] == [["too slow"], ["fine"]]
    assert apart["kept"] == [["kept"], [""]]
