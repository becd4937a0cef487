"""How far a value is handed down."""

from __future__ import annotations

import pytest
from leaklint.codemods.hand_down import hand_it_down
from leaklint.finding import Span
from leaklint.project.suspect import Access, CallSite, Passing, Place, PlaceKind, Strength, WriteSuspect
from leaklint.syntax import Files
from msgspec.structs import replace

HEAD = Span("desk.py", 1, 1, 1, 2)
SUSPECT = WriteSuspect(
    function="desk.keep",
    span=HEAD,
    statement=HEAD,
    route=None,
    place=Place(PlaceKind.GLOBAL, "desk", "current", (), "current", HEAD, ""),
    access=Access.STORE,
    value="value",
    value_span=HEAD,
    strength=Strength.CONTENT,
    concept="",
    guarded=False,
    how="assign",
    siblings=(),
    resets=(),
    readers=(),
    uses=(),
    suspends=None,
    certain=True,
)


@pytest.mark.parametrize("count", [13, 100])
def test_nothing_is_opened_for_what_would_go_through_too_many_files(count: int) -> None:
    calls = tuple(CallSite(HEAD, Span(f"m{number}.py", 3, 1, 3, 9)) for number in range(count))
    files = Files({call.span.path: "" for call in calls})
    fix = hand_it_down(replace(SUSPECT, passing=Passing(calls)), files)
    assert fix.edits == ()
    assert fix.refused == f"`current` would have to be handed down through {count} files"
    assert files.asked == set()
