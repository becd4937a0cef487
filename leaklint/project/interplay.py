"""Suspects about state that several requests use at a time: races, caches, maps of sessions.

Puts together what the modules of each kind find, on one schedule and one set of locks.
"""

from __future__ import annotations

from collections.abc import Iterator

from leaklint.project.lifetimes import Lifetimes
from leaklint.project.locks import Locks
from leaklint.project.races import races
from leaklint.project.routes import Routes
from leaklint.project.schedule import schedule
from leaklint.project.state import State
from leaklint.project.suspect import Suspect


def interplay_suspects(s: State, lives: Lifetimes, ways: Routes) -> Iterator[Suspect]:
    """All suspects of these kinds."""
    plan = schedule(s, ways)
    locks = Locks(s, lives, plan)
    yield from races(s, lives, ways, plan, locks)
