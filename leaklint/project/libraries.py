"""What request code does to things that libraries and the process have once: settings, sessions, chats, files.

Only puts together what the modules of each kind find, so that one leak is told once.
"""

from __future__ import annotations

from leaklint.project.files_written import files_written
from leaklint.project.library_objects import shared_uses
from leaklint.project.lifetimes import Lifetimes
from leaklint.project.locks import Locks
from leaklint.project.process_state import is_felt, settings
from leaklint.project.routes import Routes
from leaklint.project.state import State
from leaklint.project.suspect import Kept, Suspect, WriteSuspect


def instead_of(ways: Routes, locks: Locks, writes: list[WriteSuspect]) -> list[WriteSuspect]:
    """The writes without those that no other request meets, or that say a second time what a client is set to."""
    clients = {w.span for w in writes if w.place.client}
    return [
        w
        for w in writes
        if (w.place.client or w.span not in clients)
        and (w.place.kept is not Kept.LIBRARY or (not w.place.swapped and is_felt(w, ways, locks.plan, locks)))
    ]


def suspects(s: State, lives: Lifetimes, ways: Routes, locks: Locks) -> list[Suspect]:
    """All suspects of these kinds."""
    return [
        *shared_uses(s, lives, ways, locks.plan),
        *settings(s, ways, locks.plan, locks),
        *files_written(s, ways, locks.plan),
    ]
