"""Entry points by way of a queue: start-up code that takes a message of a request runs functions on its behalf.

A loop that takes messages runs for ever; the functions that it hands a message to run for each of them. The loop itself
stays start-up code, since what it keeps is its own.
"""

from __future__ import annotations

from collections.abc import Iterator

from leaklint.index.summary import Call, Kind
from leaklint.models import EntryModel
from leaklint.project import calls, entries
from leaklint.project.state import Effect, Frame, State
from leaklint.project.suspect import Access
from leaklint.project.terms import calls_in
from leaklint.project.values import Atom, ClassValue, Instance, Phase, Taint, Value

AT_ONCE = EntryModel(label="message from a queue", parameters="none")
IN_TURN = EntryModel(label="message from a queue", parameters="none", certain=False)
_DEEP = 3  # accessors around the queue's own `get`


def consume(s: State) -> bool:
    """Make entry points of the functions that are handed messages of requests; whether there was anything new."""
    new = False
    for frame in sorted(_takers(s), key=lambda f: (f.info.module.path, f.info.function.span)):
        spawned = _spawned(s, frame)
        for made in list(frame.made.values()):
            for target in [t for t in made.targets if any(map(_is_of_request, t.args.values()))]:
                model = AT_ONCE if made.term.order in spawned else IN_TURN
                new = _enter(s, frame, target, model, made.term) or new
    return new


def _takers(s: State) -> set[Frame]:
    """Start-up code that takes messages of requests from a queue, by itself or through an accessor."""
    filled = {e.holder for f in s.frames if f.phase is Phase.REQUEST for e in _on_queues(s, f, Access.MUTATE)}
    found: set[Frame] = set()
    if not filled:
        return found
    inner = [
        frame
        for frame in s.frames
        if frame.phase is Phase.SETUP and any(e.holder in filled for e in _on_queues(s, frame, Access.DELETE))
    ]
    for _ in range(_DEEP):
        found.update(f for f in inner if f.info.function.kind is Kind.FUNCTION)
        inner = [
            caller
            for frame in inner
            if _is_of_request(frame.returns)
            for caller in frame.callers
            if caller.phase is Phase.SETUP and caller not in found
        ]
    return found


def _on_queues(s: State, frame: Frame, access: Access) -> Iterator[Effect]:
    for effects in frame.written.values():
        for effect in effects:
            if effect.access is access and isinstance(effect.holder, Instance) and effect.holder.fqn:
                kind = s.models.type(effect.holder.fqn)
                if kind is not None and kind.consumed:
                    yield effect


def _is_of_request(value: Value) -> bool:
    return any(isinstance(a, Taint) or (isinstance(a, Instance) and a.phase is Phase.REQUEST) for a in value)


def _spawned(s: State, frame: Frame) -> set[int]:
    """The calls of a frame that make what another call runs beside it: `create_task(self.handle(message))`."""
    found: set[int] = set()
    for made in frame.made.values():
        if any((model := s.models.call(fqn)) is not None and model.border for fqn in made.external):
            found.add(made.term.order)
            found.update(call.order for call in calls_in(made.term.args))
    return found


def _enter(s: State, frame: Frame, target: Frame, model: EntryModel, call: Call) -> bool:
    """Run a function once more, for a request, with what it is given; whether anything in that is new."""
    if target.phase is not Phase.SETUP or target.info.function.kind is not Kind.FUNCTION:
        return False
    function = s.function_value(target.info, target.env)
    receiver = target.receiver
    atom: Atom = s.method(function, receiver) if isinstance(receiver, (Instance, ClassValue)) else function
    known = len(s.entries)
    entries.add(s, frame, model, model.label, atom, call.span)
    handler = s.frame(target.info, target.env, receiver, Phase.REQUEST, ("entry",))
    s.filled.pop(handler, None)
    if calls.merge(s, handler, target.args):
        s.enqueue(handler, 0)
        return True
    return len(s.entries) > known
