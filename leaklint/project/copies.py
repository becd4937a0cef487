"""Objects to copies of them: what a copy is changed to is no change of the original.

Knows nothing of who copies, or how a call says so.
"""

from __future__ import annotations

from leaklint.index.summary import Range
from leaklint.project.state import Frame, State
from leaklint.project.values import Atom, Instance, Value

DEEP = 3  # objects inside objects that a deep copy copies


def copied(s: State, frame: Frame, value: Value, span: Range, depth: int) -> Value:
    """The value with its objects replaced by new ones, made in `frame`.

    Args:
        s: the state.
        frame: who copies.
        value: what is copied.
        span: where.
        depth: 1 copies the objects alone; more also what they hold.
    """
    return frozenset(_copy(s, frame, atom, span, depth) if isinstance(atom, Instance) else atom for atom in value)


def _copy(s: State, frame: Frame, atom: Instance, span: Range, depth: int) -> Atom:
    new = s.instance(atom.cls, atom.fqn, frame, span, f"copy {depth}")
    if new is atom:
        return atom  # a copy of a copy made in the same place
    for name, held in list(s.fields(atom, frame).items()):
        s.build(new, name, copied(s, frame, held, span, depth - 1) if depth > 1 else held)
    return new
