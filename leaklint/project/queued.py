"""Calls that hand a task of the program to workers, as the call that a worker makes of it.

Which calls do, and where they take the task's arguments, is the models' to say; which function is the task comes from
what its decorator made of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from leaklint.index.summary import Attr, Call, Const, Display, Name, Star, Term
from leaklint.models import CallModel
from leaklint.project import evaluate
from leaklint.project.ambient import Survey
from leaklint.project.program import FunctionInfo
from leaklint.project.spots import Spot
from leaklint.project.state import Frame
from leaklint.project.values import FunctionValue

OWN = "*"  # the arguments of the call itself are the task's

_Keywords = tuple[tuple[str | None, Term], ...]


class Queued(NamedTuple):
    """A call that queues a task."""

    spot: Spot
    task: Frame
    call: Call  # what the worker does: the task, called with its arguments
    carrier: str  # the keyword that holds the named arguments; empty when they are those of the call itself


def queued(found: Survey, info: FunctionInfo) -> Iterator[Queued]:
    """The calls of a function that queue a task of the program, each once."""
    seen: set[int] = set()
    for spot in found.calls(info):
        assert isinstance(spot.term, Call)
        if spot.term.order in seen:
            continue
        seen.add(spot.term.order)
        for made in found.made(info, spot.term):
            models = (found.state.models.call(fqn) for fqn in made.external)
            model = next((m for m in models if m is not None and m.delivers), None)
            task = _task(found, info, spot.term, spot.position) if model is not None else None
            if model is not None and task is not None:
                carrier = "" if OWN in model.delivers else model.delivers[-1]
                yield Queued(spot, task, _as_called(spot.term, model), carrier)
                break


def _task(found: Survey, info: FunctionInfo, call: Call, position: int) -> Frame | None:
    """The frame of the one task that a call is about."""
    if not isinstance(call.func, Attr):
        return None
    tasks: dict[FunctionInfo, None] = {}
    for frame in found.frames[info][:1]:
        for atom in evaluate.evaluate(found.state, frame, call.func.base, position):
            if isinstance(atom, FunctionValue) and atom.info in found.state.made_of:
                tasks[atom.info] = None
    frames = [f for task in tasks for f in found.frames.get(task, ())]
    return next((f for f in frames if f.entry is not None), None) if len(tasks) == 1 else None


def _as_called(call: Call, model: CallModel) -> Call:
    """The call that the worker makes: its arguments are those of the call, or what two of them hold."""
    if OWN in model.delivers:
        return call
    packed, named = (_given(call, place, name) for place, name in enumerate(model.delivers[:2]))
    return Call(call.func, _positional(packed), _named(named), call.span, call.order)


def _given(call: Call, place: int, name: str) -> Term | None:
    for keyword, value in call.keywords:
        if keyword == name:
            return value
    return call.args[place] if place < len(call.args) else None


def _positional(packed: Term | None) -> tuple[Term, ...]:
    match packed:
        case None | Const(value=None):
            return ()
        case Display(keys=(), values=values):
            return values
        case _:
            return (Star(packed),)


def _named(named: Term | None) -> _Keywords:
    match named:
        case None | Const(value=None):
            return ()
        case Display(keys=keys, values=values) if keys or not values:
            said = [k.value if isinstance(k, Const) and isinstance(k.value, str) else None for k in keys]
            return tuple(zip(said, values, strict=True))
        case Call(func=Name(id="dict"), args=(), keywords=keywords):
            return keywords
        case _:
            return ((None, named),)
