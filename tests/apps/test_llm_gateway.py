"""The gateway, driven by two callers of one API key before and after `leaklint fix`."""

from pathlib import Path
from typing import Any

import pytest
from drive import copy_app, drive, fix


def play(app: Path, scenario: str) -> Any:
    return drive(app, "llm_gateway.py", scenario, paths=["src"])


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copy_app("llm_gateway", tmp_path_factory.mktemp("before"))


@pytest.fixture(scope="module")
def fixed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    app = copy_app("llm_gateway", tmp_path_factory.mktemp("after"))
    fix(app)
    return app


def check_a_single_caller_is_served(app: Path) -> None:
    assert play(app, "alone") == {
        "answer": {"id": "ann-1", "model": "m-llama", "content": "m-llama on dogs"},
        "stream": {"id": "ann-2", "content": "m-llama on dogs"},
        "vectors": {"id": "ann-3", "model": "m-llama", "data": [[3.0, 3.0]]},
        "models": ["bge-small", "llama-3-8b", "mistral-7b"],
        "running": [],
        "closed": [True, False],
        "stranger": 401,
        "unknown_model": 404,
    }


def test_a_single_caller_is_served(app: Path) -> None:
    check_a_single_caller_is_served(app)


def test_a_single_caller_is_served_once_fixed(fixed: Path) -> None:
    check_a_single_caller_is_served(fixed)


@pytest.mark.parametrize("scenario", ["answers", "streams"])
def test_callers_of_one_key_get_the_answer_of_the_other(app: Path, scenario: str) -> None:
    seen = play(app, scenario)
    assert (seen["ann"]["id"], seen["ann"]["content"]) == ("ann-1", "m-llama on quantum")
    assert (seen["bob"]["id"], seen["bob"]["content"]) == ("bob-1", "m-llama on dogs")
    assert seen["requests"] == [None, None]


@pytest.mark.parametrize("scenario", ["answers", "streams"])
def test_callers_of_one_key_get_their_answers_once_fixed(fixed: Path, scenario: str) -> None:
    seen = play(fixed, scenario)
    assert (seen["ann"]["id"], seen["ann"]["content"]) == ("ann-1", "m-llama on dogs")
    assert (seen["bob"]["id"], seen["bob"]["content"]) == ("bob-1", "m-llama on quantum")
    assert seen["requests"] == ["ann-1", "bob-1"]


def test_the_model_of_the_session_answers_for_the_model_asked_for(app: Path) -> None:
    seen = play(app, "models")
    assert seen["bob"] == {"id": "bob-1", "model": "m-llama", "content": "m-llama on quantum"}
    assert seen["vectors"] == [[3.0] * 2]


def test_the_model_asked_for_answers_once_fixed(fixed: Path) -> None:
    seen = play(fixed, "models")
    assert seen["ann"] == {"id": "ann-1", "model": "m-llama", "content": "m-llama on dogs"}
    assert seen["bob"] == {"id": "bob-1", "model": "m-mistral", "content": "m-mistral on quantum"}
    assert seen["vectors"] == [[3.0] * 4]


def test_a_stream_that_opens_the_session_has_no_id_there(app: Path) -> None:
    assert play(app, "first_stream") == {"requests": [None]}


def test_a_stream_that_opens_the_session_has_its_id_there_once_fixed(fixed: Path) -> None:
    assert play(fixed, "first_stream") == {"requests": ["ann-1"]}


def test_callers_of_one_key_share_its_session(app: Path) -> None:
    assert play(app, "answers")["sessions"] == 1


def test_two_first_requests_open_two_sessions(app: Path) -> None:
    assert play(app, "first_requests") == {"sessions": 2}


def test_two_first_requests_open_one_session_once_fixed(fixed: Path) -> None:
    assert play(fixed, "first_requests") == {"sessions": 1}
