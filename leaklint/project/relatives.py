"""Methods that a call may run although it was not seen to: those that override what the call is known to run.

The solver keeps few classes of one value; what a factory of many classes gives is only told by the base class.
"""

from __future__ import annotations

from collections import defaultdict

from msgspec.structs import replace

from leaklint.project import calls
from leaklint.project.program import ClassInfo, FunctionInfo
from leaklint.project.routes import Routes
from leaklint.project.state import Frame, State
from leaklint.project.suspect import Route


def relatives(s: State, reached: dict[FunctionInfo, Frame]) -> dict[FunctionInfo, Frame]:
    """Methods not reached, each with a reached frame of a method that shares its base class and name."""
    families: dict[tuple[ClassInfo, str], Frame] = {}
    members: dict[tuple[ClassInfo, str], list[FunctionInfo]] = defaultdict(list)
    for cls in s.bases:
        order = calls.mro(s, cls)[0]
        for base in order[1:]:
            for name, info in cls.info.methods.items():
                if name.startswith("__") or name not in base.info.methods:
                    continue
                if info in reached:
                    families.setdefault((base.info, name), reached[info])
                else:
                    members[base.info, name].append(info)
    return {info: families[key] for key, infos in members.items() if key in families for info in infos}


def route(ways: Routes, frame: Frame, info: FunctionInfo) -> Route | None:
    """The way of a request to a method: that to its relative, but for the last step; `None` when that is an entry."""
    way = ways.route(frame)
    if info is frame.info:
        return way
    if not way.hops:
        return None
    return replace(way, hops=(*way.hops[:-1], replace(way.hops[-1], callee=info.qualname)))
