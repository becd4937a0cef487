"""Suspects about what surrounds a request: context variables and thread-locals that do not keep requests apart.

Puts together what the modules of each kind find, so that one leak is told once.
"""

from __future__ import annotations

from collections.abc import Iterable

from leaklint.project.context import all_touches
from leaklint.project.context_lost import contexts_lost
from leaklint.project.kept_contexts import left_set
from leaklint.project.lifetimes import Lifetimes
from leaklint.project.routes import Routes
from leaklint.project.schedule import Schedule
from leaklint.project.shared_defaults import shared_defaults
from leaklint.project.state import State
from leaklint.project.suspect import Suspect, WriteSuspect
from leaklint.project.thread_locals import thread_locals


def with_surroundings(
    s: State, lives: Lifetimes, ways: Routes, plan: Schedule, others: Iterable[Suspect]
) -> list[Suspect]:
    """The suspects of these kinds, and the others without the writes that are told here."""
    seen = all_touches(s, ways)
    defaults = list(shared_defaults(s, lives, ways, seen))
    told = {(use.span.path, use.span.line) for default in defaults for use in default.writes}
    rest = [o for o in others if not (isinstance(o, WriteSuspect) and (o.span.path, o.span.line) in told)]
    return [
        *rest,
        *defaults,
        *left_set(s, lives, ways, seen),
        *thread_locals(s, lives, ways, plan),
        *contexts_lost(s, lives, ways, seen),
    ]
