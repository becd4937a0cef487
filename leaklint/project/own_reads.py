"""Reads of a place that always find what the same request has just written there, and hand it on.

Takes writes and reads of one frame, and the schedule. Who else reads the place is not known here. Entry points are left
out: a handler that sets something and shows it is told all the same, before it grows an `await` in between.
"""

from __future__ import annotations

from collections.abc import Iterable

from leaklint.index.summary import BlockKind, Call, Range, Term
from leaklint.project.origins import roots
from leaklint.project.program import ancestors, within
from leaklint.project.schedule import Schedule
from leaklint.project.spots import parts
from leaklint.project.state import ITEMS, Effect, Frame
from leaklint.project.suspect import Access


def is_own(plan: Schedule, frame: Frame, writes: Iterable[Effect], span: Range, at: int) -> bool:
    """Whether a read hands on what was written, and nobody else can have written between the two.

    Args:
        plan: how frames are run.
        frame: in which all of this is.
        writes: to the place that is read.
        span: of what is read.
        at: the operation that reads.
    """
    if frame.entry is not None or plan.preemptive(frame):
        return False
    order = _order(frame, span, at)
    return order is not None and any(_is_ahead(plan, frame, write, order, at) for write in writes)


def _is_ahead(plan: Schedule, frame: Frame, write: Effect, order: int, at: int) -> bool:
    """Whether a write is done before every such read, and no other request runs between them."""
    ops, blocks = frame.info.function.ops, frame.info.function.blocks
    if write.access is not Access.STORE or write.how == "augment" or write.field == ITEMS:
        return False
    done, reader = ops[write.position], ops[at]
    if write.position >= at or not within(blocks, reader.block, done.block):
        return False
    if plan.between(frame, done.order, order) is not None:
        return False
    again = [b for b in ancestors(blocks, reader.block) if b > done.block and blocks[b].kind is BlockKind.LOOP]
    return not any(within(blocks, wait.block, loop) for wait in plan.suspensions(frame) for loop in again)


def _order(frame: Frame, span: Range, at: int) -> int | None:
    """The order of the call that a term of an operation is handed to."""
    stack: list[tuple[Term, int | None]] = [(root, None) for root in roots(frame.info.function.ops[at])]
    while stack:
        term, order = stack.pop()
        if getattr(term, "span", 0) == span:
            return order
        given = term.order if isinstance(term, Call) else order
        stack.extend((inner, order if role == "func" else given) for role, _, inner in parts(term))
    return None
