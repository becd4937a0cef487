"""The RPC bridge, driven by two notebooks of one login session before and after `leaklint fix`."""

from pathlib import Path
from typing import Any

import pytest
from drive import copy_app, drive, fix


def play(app: Path, scenario: str) -> Any:
    return drive(app, "rpc_bridge.py", scenario)


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copy_app("rpc_bridge", tmp_path_factory.mktemp("before"))


@pytest.fixture(scope="module")
def fixed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    app = copy_app("rpc_bridge", tmp_path_factory.mktemp("after"))
    fix(app)
    return app


@pytest.fixture(scope="module")
def mixed(app: Path) -> Any:
    return play(app, "notebooks")


@pytest.fixture(scope="module")
def apart(fixed: Path) -> Any:
    return play(fixed, "notebooks")


def check_a_page_without_a_session_of_its_own_is_served(app: Path) -> None:
    seen = play(app, "alone")
    health = seen.pop("health")
    assert seen == {
        "notes": ["milk"],
        "dynamic": 3,
        "helper": "milk",
        "attr": "milk",
        "attr_by_path": 3.14159,
        "method": 2,
        "set_attr": "list",
        "get_attr": ["milk", "eggs"],
        "attributes": {"title": "list", "lines": ["milk", "eggs"]},
        "describe": {"description": "list: 2 lines"},
        "release": True,
        "items": ["milk", None],
        "cancel": True,
        "sessions": ["team-login"] * 4,
        "ended": True,
        "info": {"worker": "notebook-worker", "version": "3.1"},
    }
    assert health["calls"] == sum(health["by_type"].values()) == 20
    assert health["sessions"] == 1


def test_a_page_without_a_session_of_its_own_is_served(app: Path) -> None:
    check_a_page_without_a_session_of_its_own_is_served(app)


def test_a_page_without_a_session_of_its_own_is_served_once_fixed(fixed: Path) -> None:
    check_a_page_without_a_session_of_its_own_is_served(fixed)


def test_paths_that_resolve_the_session_name_it_in_payload_and_route(app: Path) -> None:
    assert {tuple(ids) for ids in play(app, "right_paths").values()} == {("ann-notebook", "ann-notebook")}


def test_a_function_call_lands_in_the_session_of_the_login(mixed: Any) -> None:
    assert mixed["bob"] == ["team-login", ["ann's diary", "bob's plan"]]
    assert mixed["ann"] == ["team-login", ["ann's diary", "bob's plan", "ann's list"]]


def test_function_calls_are_apart_once_fixed(apart: Any) -> None:
    assert apart["bob"] == ["bob-notebook", ["bob's plan"]]
    assert apart["ann"] == ["ann-notebook", ["ann's diary", "ann's list"]]


def test_an_object_is_made_in_the_session_of_the_login(mixed: Any) -> None:
    assert mixed["class"] == ["team-login", ["ann's diary", "bob's plan", "ann's list"]]


def test_objects_are_made_in_the_named_session_once_fixed(apart: Any) -> None:
    assert apart["class"] == ["ann-notebook", ["ann's diary", "ann's list"]]


def test_a_helper_works_in_the_session_of_the_login(mixed: Any) -> None:
    assert mixed["helper"] == ["team-login", "ann's diary; bob's plan; ann's list"]


def test_a_helper_works_in_the_named_session_once_fixed(apart: Any) -> None:
    assert apart["helper"] == ["ann-notebook", "ann's diary; ann's list"]


@pytest.mark.parametrize("path", ["attr", "attr_by_path"])
def test_a_module_attribute_is_read_in_the_session_of_the_login(mixed: Any, path: str) -> None:
    assert mixed[path] == ["team-login", "ann's list"]
    assert mixed[f"{path}_bob"] == ["team-login", "ann's list"]


@pytest.mark.parametrize("path", ["attr", "attr_by_path"])
def test_a_module_attribute_is_read_in_the_named_session_once_fixed(apart: Any, path: str) -> None:
    assert apart[path] == ["ann-notebook", "ann's list"]
    assert apart[f"{path}_bob"] == ["bob-notebook", "bob's plan"]


def test_a_stream_runs_in_the_session_of_the_login(mixed: Any) -> None:
    assert mixed["stream"] == ["team-login", "ann's diary"]


def test_a_stream_runs_in_the_named_session_once_fixed(apart: Any) -> None:
    assert apart["stream"] == ["ann-notebook", "ann's diary"]


def test_an_object_is_described_to_a_session_that_does_not_hold_it(app: Path) -> None:
    seen = play(app, "explorer")
    assert "has no object" in seen["attributes_bob"]["detail"]
    assert seen["describe_bob"] == seen["describe_ann"] == {"description": "ann's diary: 0 lines"}


def test_an_object_is_described_to_its_own_session_alone_once_fixed(fixed: Path) -> None:
    seen = play(fixed, "explorer")
    assert "session bob-notebook has no object" in seen["describe_bob"]["detail"]
    assert seen["describe_ann"] == {"description": "ann's diary: 0 lines"}


def test_a_cancelled_stream_is_routed_by_one_session_and_sought_in_another(app: Path) -> None:
    assert play(app, "cancelled_stream") == {
        "result": True,
        "session_id": "ann-notebook",
        "routed_by": "bob-notebook",
    }


def test_calls_without_a_session_share_one(app: Path) -> None:
    seen = play(app, "nameless")
    assert seen["first"]["session_id"] == seen["second"]["session_id"]
    assert seen["second"]["result"] == ["ann's diary", "bob's plan"]


def test_calls_without_a_session_get_one_each_once_fixed(fixed: Path) -> None:
    seen = play(fixed, "nameless")
    assert seen["first"]["session_id"] != seen["second"]["session_id"]
    assert seen["second"]["result"] == ["bob's plan"]
    assert seen["again"] == {"session_id": seen["first"]["session_id"], "result": ["ann's diary", "ann's list"]}
