"""Where one rule ends and the next begins: a write that is suspected is the business of exactly one rule."""

from __future__ import annotations

import pytest

from leaklint import rule
from leaklint.finding import Span
from leaklint.project.suspect import Access, Kept, Place, PlaceKind, Strength, WriteSuspect

SPAN = Span("app.py", 1, 1, 1, 2)

PLACES = {
    "`desk.user`": (Place(PlaceKind.INSTANCE, "app.Desk", "user", (), "", None, ""), Kept.ATTRIBUTE),
    "`self.holder['k']`": (Place(PlaceKind.INSTANCE, "app.Desk", "holder", ("['k']",), "", None, ""), Kept.ATTRIBUTE),
    "`self.items.append`": (Place(PlaceKind.INSTANCE, "app.Desk", "items", ("[*]",), "", None, ""), Kept.ITEM),
    "`self.data['k'].append`": (
        Place(PlaceKind.INSTANCE, "app.Desk", "data", ("['k']", "[*]"), "", None, ""),
        Kept.ITEM,
    ),
    "`handler.user`": (Place(PlaceKind.GLOBAL, "app", "handler.user", (), "", None, ""), Kept.ATTRIBUTE),
    "`namespace.user`": (Place(PlaceKind.GLOBAL, "app", "namespace", (".user",), "", None, ""), Kept.ATTRIBUTE),
    "`items.append`": (Place(PlaceKind.GLOBAL, "app", "items", ("[*]",), "", None, ""), Kept.ITEM),
    "`current['user']`": (Place(PlaceKind.GLOBAL, "app", "current", ("['user']",), "", None, ""), Kept.ITEM),
    "`global user`": (Place(PlaceKind.GLOBAL, "app", "user", (), "", None, ""), Kept.NAME),
    "`Desk.user`": (Place(PlaceKind.CLASS, "app.Desk", "user", (), "", None, ""), Kept.CLASS),
    "`Desk.items.append`": (Place(PlaceKind.CLASS, "app.Desk", "items", ("[*]",), "", None, ""), Kept.CLASS),
    "`nonlocal user`": (Place(PlaceKind.CLOSURE, "app.make", "user", (), "", None, ""), Kept.VARIABLE),
    "captured `items.append`": (Place(PlaceKind.CLOSURE, "app.make", "items", ("[*]",), "", None, ""), Kept.VARIABLE),
    "default `items.append`": (Place(PlaceKind.DEFAULT, "app.collect", "items", ("[*]",), "", None, ""), Kept.DEFAULT),
    "`library.setting`": (Place(PlaceKind.GLOBAL, "library", "setting", (), "", None, "", library=True), Kept.LIBRARY),
    "`library.table['k']`": (
        Place(PlaceKind.GLOBAL, "library.table", "", ("['k']",), "", None, "", library=True),
        Kept.LIBRARY,
    ),
    "`client.headers['k']`": (
        Place(PlaceKind.GLOBAL, "app", "client", (".headers",), "", None, "", client="library.Client"),
        Kept.CLIENT,
    ),
}


def _suspect(place: Place) -> WriteSuspect:
    return WriteSuspect(
        function="app.f",
        span=SPAN,
        statement=SPAN,
        route=None,
        place=place,
        access=Access.STORE,
        value="user",
        value_span=SPAN,
        strength=Strength.IDENTITY,
        concept="user",
        guarded=False,
        how="assign",
        siblings=(),
        resets=(),
        readers=(),
        uses=(),
        suspends=None,
        certain=True,
    )


@pytest.mark.parametrize(("place", "kept"), PLACES.values(), ids=PLACES)
def test_every_place_is_the_business_of_one_rule(place: Place, kept: Kept) -> None:
    assert place.kept is kept
    suspect = _suspect(place)
    rules = {name: kind() for name, kind in rule.load_all().items() if issubclass(WriteSuspect, kind.watches)}
    assert len([name for name, judge in rules.items() if judge.wants(suspect)]) == 1


def test_all_that_keeps_values_is_asked_about() -> None:
    assert {kept for _, kept in PLACES.values()} == set(Kept)
