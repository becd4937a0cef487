"""Ids that do not travel with their call, as suspects: ambient ones in their place, ignored, split or dropped ones.

Puts together what the modules of each kind find, so that one loss is told once.
"""

from __future__ import annotations

from leaklint.project.ambient import survey
from leaklint.project.ignored import ignored_overrides
from leaklint.project.outbound import ids_not_sent
from leaklint.project.overrides import ambient_over_override, ids
from leaklint.project.own_ids import own_over_override
from leaklint.project.propagation import ids_not_passed
from leaklint.project.regenerated import ids_regenerated
from leaklint.project.routes import Routes
from leaklint.project.siblings import split_paths
from leaklint.project.silent_logs import logs_without_id
from leaklint.project.split import split_identities
from leaklint.project.state import State
from leaklint.project.suspect import IdSuspect, Suspect

_WHOSE = ("session", "user", "tenant", "credential")  # ids by which callees choose data; others only trace a call


def suspects(s: State, ways: Routes, wrong: list[IdSuspect]) -> list[Suspect]:
    """All suspects of these kinds; `wrong` are ids that are told to identify nobody."""
    known = ids(survey(s))
    ambient = list(ambient_over_override(known, ways))
    overridden = {(a.function, a.override) for a in ambient}
    ignored = [(i, info) for i, info in ignored_overrides(known, ways) if (i.function, i.override) not in overridden]
    told = {(info, a.concept) for info in known.uses for a in ambient if a.function == info.qualname}
    split = list(split_identities(known, ways, told))
    alone = {(o.function, o.concept) for o in (*ambient, *(i for i, _ in ignored), *split)}
    alone |= {(i.function, i.concept) for i in wrong}
    paths = list(split_paths(known, ways, alone))
    alone |= {(path.function, p.concept) for p in paths for path in p.paths}
    unused = {(info, i.override) for i, info in ignored}
    sent = list(ids_not_sent(known, ways))
    lost = {(p.function, p.available) for p in sent if p.concept not in _WHOSE}
    kept = [i for i, _ in ignored if (i.function, i.override) not in lost]
    told_ignored = {(i.function, i.override) for i in kept}
    dropped = [*ids_not_passed(known, ways, unused), *ids_regenerated(known, ways, unused)]
    return [
        *ambient,
        *kept,
        *split,
        *paths,
        *own_over_override(known, ways, alone),
        *dropped,
        *(p for p in sent if (p.function, p.available) not in told_ignored),
        *logs_without_id(known, ways),
    ]
