"""Suspected writes to one suspect a cause: a person mends one attribute, one list or one name, not each of its entries.

Only joins; what is a suspect at all has been decided before.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

from msgspec.structs import replace

from leaklint.finding import Span
from leaklint.project.suspect import Kept, Place, PlaceKind, Use, WriteSuspect

_MANY = 8  # places beside the first that a value is put into


def causes(suspects: Iterable[WriteSuspect]) -> list[WriteSuspect]:
    """One suspect for each slot, by place; the first write in request order speaks for all.

    Where requests set a whole attribute or name, what they put into it belongs to that.
    """
    ordered = sorted(suspects, key=lambda w: (w.span, w.place.slot, w.place.path))
    whole = {_root(w.place): w for w in reversed(ordered) if not w.place.path and not w.guarded}
    groups: dict[tuple[object, ...], list[WriteSuspect]] = defaultdict(list)
    for suspect in ordered:
        root, kept = _root(suspect.place), suspect.place.kept
        part = suspect.place.path if kept is Kept.CLIENT else ()  # headers are one thing, the base address another
        groups[root, part, None if root in whole else kept].append(suspect)
    joined = [_joined(whole.get(_root(group[0].place)), group) for group in groups.values()]
    ordered = sorted(joined, key=lambda w: (w.span, w.place.slot))
    return list(_once_a_sorting(list(_once_a_line(ordered))))


def _once_a_sorting(suspects: list[WriteSuspect]) -> Iterator[WriteSuspect]:
    """A function that sorts one value into many places of one owner has one cause, and is mended as one."""
    alike: dict[tuple[str, ...], list[WriteSuspect]] = defaultdict(list)
    for suspect in suspects:
        alike[_sorting(suspect)].append(suspect)
    for suspect in suspects:
        first, *others = alike[_sorting(suspect)]
        if not suspect.value or len(others) < _MANY:
            yield suspect
        elif suspect is first:
            left = tuple(Use(w.access, w.span, w.statement, w.function, False) for w in others)
            yield replace(first, siblings=_by_place({*first.siblings, *left}), uses=(*first.uses, *left))


def _sorting(suspect: WriteSuspect) -> tuple[str, ...]:
    return suspect.function, suspect.place.owner, suspect.place.kind.name, suspect.how, suspect.value


def _root(place: Place) -> tuple[PlaceKind, str, str]:
    return place.kind, place.owner, place.slot


def _joined(whole: WriteSuspect | None, group: list[WriteSuspect]) -> WriteSuspect:
    first = whole or min(group, key=_distance)
    others = [w for w in group if w is not first]
    uses = {Use(w.access, w.span, w.statement, w.function, True) for w in others if w.span != first.span}
    siblings = uses.union(first.siblings, *(w.siblings for w in others))
    readers = set(first.readers).union(*(w.readers for w in others))
    resets = set(first.resets).union(*(w.resets for w in others))
    return replace(
        first,
        siblings=_by_place(siblings),
        readers=_by_place(readers),
        resets=_by_place(resets),
        derived=all(w.derived for w in group),
        own_lock=all(w.own_lock for w in group),
    )


def _distance(suspect: WriteSuspect) -> tuple[int, Span]:
    return len(suspect.route.hops) if suspect.route is not None else 0, suspect.span


def _by_place(uses: Iterable[Use]) -> tuple[Use, ...]:
    return tuple(sorted(uses, key=lambda use: use.span))


def _once_a_line(suspects: Iterable[WriteSuspect]) -> Iterator[WriteSuspect]:
    """One write that may reach several objects by one name is one cause."""
    told: set[tuple[Span, str, Kept]] = set()
    for suspect in suspects:
        key = (suspect.span, suspect.place.text, suspect.place.kept)
        if key not in told:
            told.add(key)
            yield suspect
