"""Suspects about state that several requests use at a time: races, caches, maps of sessions.

Puts together what the modules of each kind find, on one schedule and one set of locks, so that one cause is told once.
"""

from __future__ import annotations

from collections.abc import Iterable

from leaklint.project.caches import blind_caches
from leaklint.project.growth import growing_maps
from leaklint.project.kept_logins import kept_logins
from leaklint.project.lifetimes import Lifetimes
from leaklint.project.locks import Locks
from leaklint.project.owners import sessions_of_keys, unchecked_owners
from leaklint.project.races import races
from leaklint.project.routes import Routes
from leaklint.project.state import State
from leaklint.project.store_access import Stores
from leaklint.project.store_races import store_races
from leaklint.project.stores import store_locks
from leaklint.project.suspect import Suspect, WriteSuspect


def with_interplay(s: State, lives: Lifetimes, ways: Routes, locks: Locks, others: Iterable[Suspect]) -> list[Suspect]:
    """The suspects of these kinds, and the others without the writes that are told here."""
    plan = locks.plan
    stores = Stores(s)
    caches = [*blind_caches(s, lives, ways), *kept_logins(s, lives, ways)]
    told = {(c.span.path, c.span.line) for c in caches if c.form in ("dict", "slot")}
    rest = [o for o in others if not (isinstance(o, WriteSuspect) and (o.span.path, o.span.line) in told)]
    return [
        *rest,
        *races(s, lives, ways, plan, locks),
        *caches,
        *growing_maps(s, lives, ways),
        *sessions_of_keys(s, lives, ways, plan),
        *unchecked_owners(s, lives, ways, stores),
        *store_locks(s, ways, locks),
        *store_races(s, ways, plan, locks, stores),
    ]
