"""Entry points that show when a program is solved: handlers that factories return, objects that start-up code makes.

Each function says whether it found anything new; the program is then solved again.
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec.structs import replace

from leaklint.models import EntryModel
from leaklint.project import evaluate
from leaklint.project.entries import add
from leaklint.project.state import Frame, State
from leaklint.project.values import NOTHING, ClassValue, Instance, Phase, Value

_MADE = 2  # objects of one class whose methods are entry points


def add_returned(s: State) -> bool:
    """Make entry points of what factories gave back; whether there was anything new."""
    known = len(s.entries)
    for factory, entry, label in s.factories:
        handler = replace(entry, phase="request", returned=False, parameters="request")
        for atom in factory.returns:
            if isinstance(atom, Instance) and atom.cls is not None:
                for method in evaluate.class_lookup(s, factory, atom, "__call__", 0, 0, NOTHING):
                    add(s, factory, handler, label, method, 0)
            else:
                add(s, factory, handler, label, atom, 0)
    return len(s.entries) > known


def meet_real_objects(s: State) -> bool:
    """Run methods that were known by their class on the objects that start-up code makes; whether there were any."""
    known = len(s.entries)
    assumed = [f for f in s.entries if isinstance(f.receiver, Instance) and f.receiver.frame is None]
    classes = {f.receiver.cls for f in assumed if isinstance(f.receiver, Instance)}
    made: dict[ClassValue, list[Instance]] = {}
    for holder in list(s.heap) if classes else ():
        if isinstance(holder, Instance) and holder.cls in classes and holder.frame is not None:
            if holder.cls is not None and holder.phase is Phase.SETUP and not holder.joined:
                made.setdefault(holder.cls, []).append(holder)
    for handler in assumed:
        if (
            handler.entry is None
            or not isinstance(handler.receiver, Instance)
            or handler.receiver.phase is Phase.REQUEST
        ):
            continue
        for instance in made.get(handler.receiver.cls, ())[:_MADE] if handler.receiver.cls is not None else ():
            method = s.method(s.function_value(handler.info, handler.env), instance)
            add(s, handler, handler.entry.model, handler.entry.label, method, handler.entry.span)
    return len(s.entries) > known


def hand_on(s: State) -> bool:
    """Let requests find what start-up code yields for them (`yield {"pool": pool}`) or puts into its parameter."""
    new = False
    for frame in s.entries:
        model = frame.entry.model if frame.entry is not None else None
        if model is None or not (model.yields or model.puts):
            continue
        span = frame.info.function.head
        holder = s.the_instance(None, model.yields or model.puts, frame.info.module, span, Phase.REQUEST)
        for field, value in _handed_on(s, frame, model):
            if not value <= s.heap.get(holder, {}).get(field, NOTHING):
                s.write(holder, field, value)
                new = True
    return new


def _handed_on(s: State, frame: Frame, model: EntryModel) -> Iterable[tuple[str, Value]]:
    """What start-up code leaves for requests: attributes by the names that it yields, or items."""
    first = frame.info.function.params[:1]
    left = frame.returns if model.yields else NOTHING.union(*(frame.args.get(p.name, NOTHING) for p in first))
    for atom in left:
        for field, value in list(s.heap.get(atom, {}).items()) if isinstance(atom, Instance) else ():
            if field[:2] in ("['", '["'):
                yield (field[2:-2] if model.yields else field), value
