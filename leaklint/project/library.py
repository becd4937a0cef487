"""Entry points of a program that no known framework runs: the public methods of objects that live as long as it.

A guess, and told as one: whoever imports the program may call these for many users. Used when there is nothing else.
"""

from __future__ import annotations

from leaklint.models import EntryModel
from leaklint.project import calls, entries, evaluate
from leaklint.project.state import State
from leaklint.project.values import NOTHING, Instance, Method, ModuleValue, Phase

LIBRARY = EntryModel(label="public method", certain=False)


def assume_entries(s: State) -> bool:
    """Take public methods of objects that module-level names hold for entry points; whether there were any."""
    found = False
    for holder in list(s.heap):
        if not isinstance(holder, ModuleValue):
            continue
        frame = s.module_frames.get(holder.module)
        if frame is None:
            continue
        for atom in [a for value in list(s.heap[holder].values()) for a in value]:
            if not isinstance(atom, Instance) or atom.cls is None or atom.phase is not Phase.SETUP:
                continue
            names = sorted({n for cls in calls.mro(s, atom.cls)[0] for n in cls.info.methods if not n.startswith("_")})
            for name in names:
                for method in evaluate.class_lookup(s, frame, atom, name, 0, 0, NOTHING):
                    if isinstance(method, Method):
                        label = f"public method {atom.cls.info.summary.name}.{name}"
                        entries.add(s, frame, LIBRARY, label, method, atom.cls.info.summary.head)
                        found = True
    return found
