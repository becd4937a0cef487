"""The fit check service, driven by two candidates at once before and after `leaklint fix`."""

from pathlib import Path
from typing import Any

import pytest
from drive import copy_app, drive, fix


def play(app: Path, scenario: str) -> Any:
    return drive(app, "fit_check.py", scenario, paths=["backend"])


def stream_of(company: str, role: str, industry: str) -> list[list[Any]]:
    """What the stream of one undisturbed check holds."""
    return [
        ["phase", {"phase": "connecting", "message": f"reading {company} {role}"}],
        ["phase", {"phase": "deep_research", "message": f"read about {company}"}],
        ["thought", {"step": 1, "content": f"research of {company} ({industry})"}],
        ["phase", {"phase": "skeptical_comparison", "message": f"weighed {company}"}],
        ["thought", {"step": 2, "content": f"gaps of {company} {role}"}],
        ["phase", {"phase": "generate_results", "message": f"wrote up {company}"}],
        ["response", {"chunk": f"# Fit check: {company}"}],
        ["response", {"chunk": f"summary of research of {company} ({industry}), gaps of {company} {role}."}],
        ["response", {"chunk": f"{company} is a good fit."}],
        ["complete", {}],
    ]


INITECH = stream_of("Initech", "engineer", "software")
GLOBEX = stream_of("Globex", "analyst", "energy")


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copy_app("fit_check", tmp_path_factory.mktemp("before"))


@pytest.fixture(scope="module")
def fixed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    app = copy_app("fit_check", tmp_path_factory.mktemp("after"))
    fix(app)
    return app


def check_a_single_candidate_is_served(app: Path) -> None:
    seen = play(app, "alone")
    assert seen["events"] == INITECH
    assert seen["answer"].endswith("gaps of Initech engineer. Initech passt gut.")
    assert [line["query"] for line in seen["history"]] == ["Initech engineer"]
    assert seen["keywords"] == {"keywords": ["python"]}
    assert seen["profile"] == {"headline": "Engineer", "skills": []}
    assert seen["greeting"] == {"greeting": "Welcome back, ann"}
    assert seen["graph"]["edges"][0] == "connecting -> deep_research"
    assert seen["cancelled"] == {"cancelled": False}
    assert seen["health"] == {"status": "ok", "requests": 2, "routes": {"stream": 1, "analyze": 1}}


def test_a_single_candidate_is_served(app: Path) -> None:
    check_a_single_candidate_is_served(app)


def test_a_single_candidate_is_served_once_fixed(fixed: Path) -> None:
    check_a_single_candidate_is_served(fixed)


def test_progress_of_one_stream_arrives_in_the_other(app: Path) -> None:
    seen = play(app, "streams")
    assert [event for event in INITECH[:-1] if event in seen["bob"]] == INITECH[1:6]
    assert [event for event in seen["ann"] if event[0] != "response"] == [INITECH[0], INITECH[-1]]
    assert [event for event in GLOBEX[1:6] if event in seen["bob"]] == []


def test_heading_of_one_stream_names_the_company_of_the_other(app: Path) -> None:
    assert ["response", {"chunk": "# Fit check: Globex"}] in play(app, "streams")["ann"]


def test_streams_are_apart_once_fixed(fixed: Path) -> None:
    assert play(fixed, "streams") == {"ann": INITECH, "bob": GLOBEX}


def test_progress_of_an_analysis_arrives_in_a_stream(app: Path) -> None:
    seen = play(app, "analysis_during_stream")
    assert [event for event in GLOBEX[:-1] if event in seen["ann"]] == GLOBEX[:6]


def test_an_analysis_stays_out_of_a_stream_once_fixed(fixed: Path) -> None:
    seen = play(fixed, "analysis_during_stream")
    assert seen["ann"] == INITECH
    assert seen["bob"].endswith("gaps of Globex analyst. Globex is a good fit.")


def test_keywords_of_one_candidate_are_among_those_of_the_next(app: Path) -> None:
    assert play(app, "visits")["keywords"] == ["fortran", "python", "sql"]


def test_keywords_are_apart_once_fixed(fixed: Path) -> None:
    assert play(fixed, "visits")["keywords"] == ["python", "sql"]


def test_an_answer_ends_in_the_language_of_the_other_candidate(app: Path) -> None:
    seen = play(app, "languages")
    assert seen["ann"].endswith("Initech convient bien.")
    assert seen["bob"].endswith("Globex convient bien.")


def test_history_shows_the_checks_of_another_candidate(app: Path) -> None:
    assert play(app, "visits")["history"] == ["Initech engineer"]


def test_greeting_names_another_candidate(app: Path) -> None:
    seen = play(app, "visits")
    assert seen["greeting"] == "Welcome back, ann"
    assert seen["profile"] is None
