"""Ids that do not travel with their call, as suspects: ambient ones in their place, ignored, split or dropped ones.

Only puts together what the modules of each kind find, so that one loss is told once.
"""

from __future__ import annotations

from collections.abc import Iterator

from leaklint.project.ambient import survey
from leaklint.project.overrides import ambient_over_override, ids
from leaklint.project.routes import Routes
from leaklint.project.state import State
from leaklint.project.suspect import Suspect


def suspects(s: State, ways: Routes) -> Iterator[Suspect]:
    """All suspects of these kinds."""
    known = ids(survey(s))
    yield from ambient_over_override(known, ways)
