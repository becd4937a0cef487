"""Writes that keep only what requests had left in places for all before: the cause is where they left it.

A memo that is worked out from such a place, an index over it, a copy of it. What one request leaves and takes up again
on its way is its own all the same.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from functools import cached_property

from msgspec import Struct

from leaklint.project.program import FunctionInfo
from leaklint.project.routes import Routes
from leaklint.project.state import Effect, Frame
from leaklint.project.suspect import Strength
from leaklint.project.values import Taint


class Derived(Struct, dict=True):
    """The writes of request data to places for all that are told, with the owner of each place."""

    ways: Routes
    writes: Iterable[tuple[object, Frame, Effect]]
    kept: Callable[[Frame, Effect], frozenset[Taint]]  # the request data that a write keeps

    def first_hand(self, owner: object, writes: Iterable[tuple[Frame, Effect]]) -> tuple[Frame, Effect] | None:
        """The first of some writes of one place that keeps what its own request brings."""
        return next((write for write in writes if not self._is_derived(owner, *write)), None)

    def _is_derived(self, owner: object, frame: Frame, effect: Effect) -> bool:
        """Whether some request does the write that has left nothing of its own with the same owner.

        What is kept must be such data as a write leaves that is told: of a registry nothing is.
        """
        if not self._is_second_hand(frame, effect) or not _kinds(self.kept(frame, effect)) <= self._left:
            return False
        return not self.ways.entries(frame) <= self._leaving[owner]

    def _is_second_hand(self, frame: Frame, effect: Effect) -> bool:
        taints = self.kept(frame, effect)
        return bool(taints) and all(taint.kept for taint in taints)

    @cached_property
    def _left(self) -> set[tuple[Strength, str]]:
        """The kinds of data that requests leave of their own."""
        own = [self.kept(frame, effect) for _, frame, effect in self.writes if not self._is_second_hand(frame, effect)]
        return set().union(*map(_kinds, own))

    @cached_property
    def _leaving(self) -> dict[object, set[FunctionInfo]]:
        """The entry points whose requests leave data of their own with an owner."""
        found: dict[object, set[FunctionInfo]] = defaultdict(set)
        for owner, frame, effect in self.writes:
            if not self._is_second_hand(frame, effect):
                found[owner] |= self.ways.entries(frame)
        return found


def _kinds(taints: Iterable[Taint]) -> set[tuple[Strength, str]]:
    return {(taint.strength, taint.concept) for taint in taints}
