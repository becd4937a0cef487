"""Objects that are their own lock: entered by `with` around every write to them.

Whoever writes so means the state to be the program's, for all to see. A lock that is kept beside the data, or in it,
says nothing of the kind: it is taken against races. Which writes keep request data is not known here.
"""

from __future__ import annotations

from collections.abc import Iterable

from leaklint.index.summary import Attr, BlockKind
from leaklint.project import evaluate
from leaklint.project.locks import Locks, lock_reach
from leaklint.project.program import ancestors
from leaklint.project.state import Effect, Frame
from leaklint.project.terms import calls_in
from leaklint.project.values import Instance

_ENTERING = ("__enter__", "__aenter__")


def is_own_lock(locks: Locks, writes: Iterable[tuple[Frame, Effect]]) -> bool:
    """Whether all of these writes are inside of blocks that enter the written object, which then takes a lock."""
    return all(_is_entered(locks, frame, effect) for frame, effect in writes)


def _is_entered(locks: Locks, frame: Frame, effect: Effect) -> bool:
    holder = effect.holder
    if not isinstance(holder, Instance) or holder.cls is None:
        return False
    blocks = frame.info.function.blocks
    for index in ancestors(blocks, frame.info.function.ops[effect.position].block):
        block = blocks[index]
        if block.kind is BlockKind.WITH and block.term is not None:
            if holder in evaluate.evaluate(locks.state, frame, block.term, effect.position):
                return _takes_a_lock(locks, holder)
    return False


def _takes_a_lock(locks: Locks, holder: Instance) -> bool:
    """Whether entering an object acquires a lock."""
    return any(
        isinstance(call.func, Attr)
        and call.func.name == "acquire"
        and lock_reach(locks, frame, call.func.base, position)
        for info, frames in locks.state.frames_of.items()
        if info.function.name in _ENTERING
        for frame in frames
        if isinstance(frame.receiver, Instance) and frame.receiver.cls is holder.cls
        for position, op in enumerate(info.function.ops)
        for call in calls_in((op,))
    )
