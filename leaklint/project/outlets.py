"""Whether a write keeps what one request listens to: a queue that it reads, a sink that it made, a callback of either.

Such an object may hold nothing yet when it is kept; what others put into it belongs to the request that made it.
"""

from __future__ import annotations

from collections.abc import Iterator, Set

from leaklint.index.summary import Attr, Bind, Call, Name, Range
from leaklint.project.guards import is_guarded
from leaklint.project.origins import roots
from leaklint.project.program import FunctionInfo, exclusive
from leaklint.project.spots import names
from leaklint.project.state import Effect, Frame, State
from leaklint.project.values import Atom, FunctionValue, Instance, Member, Method, Phase, Taint, Value

_DEEP = 3  # objects held by objects that are looked at


def keeps_outlet(s: State, frame: Frame, effect: Effect) -> bool:
    """Whether request code keeps, for whoever comes next, what this request gets its results by."""
    if frame.phase is not Phase.REQUEST or not effect.value:
        return False
    if is_guarded(frame.info.function, effect.position, effect.place, effect.how):
        return False
    outlets = [atom for atom in effect.value if _is_outlet(s, atom)]
    if not outlets:
        return False
    return _is_handed_in(frame, effect) or _is_read_here(frame, effect) or _closes_over_own(frame, effect, outlets)


def _closes_over_own(frame: Frame, effect: Effect, outlets: list[Atom]) -> bool:
    """Whether it is a function that feeds what this one made and goes on with: `self.on_event = to(queue)`."""
    functions = [atom for atom in outlets if isinstance(atom, FunctionValue)]
    fed = {name for one in functions if one.env is frame for name in one.info.free_names}
    if functions and isinstance(effect.value_term, Call):
        fed |= names(effect.value_term)
    own = frame.info.function.bound - frame.info.param_names
    if fed.isdisjoint(own):
        return False
    kept = {one.info for one in functions}
    return _is_used_later(frame, effect, fed & own) or _is_used_inside(frame, kept, fed & own)


def _is_used_later(frame: Frame, effect: Effect, wanted: Set[str]) -> bool:
    later = frame.info.function.ops[effect.position + 1 :]
    return any(not wanted.isdisjoint(names(one)) for op in later for one in roots(op))


def _is_used_inside(frame: Frame, kept: Set[FunctionInfo], wanted: Set[str]) -> bool:
    """Whether another function in this one uses a name, as the body of its stream does."""
    inner = [info for info in frame.info.module.functions if info.parent is frame.info and info not in kept]
    return any(not wanted.isdisjoint(info.free_names) for info in inner)


def _is_handed_in(frame: Frame, effect: Effect) -> bool:
    """Whether the caller passed it, and so has it in its own hands, or the function itself goes on with it."""
    term, info = effect.value_term, frame.info
    while isinstance(term, Attr):
        term = term.base
    if not isinstance(term, Name) or term.id not in info.function.bound:
        return False
    own = info.function.params[0].name if frame.receiver is not None and info.function.params else ""
    if term.id == own and not (isinstance(frame.receiver, Instance) and frame.receiver.phase is Phase.REQUEST):
        return False  # what a shared object has in one place goes to another
    if term.id in info.param_names and info.reaching(term.id, effect.position)[1]:
        return True
    return _is_used_later(frame, effect, {term.id})


def _is_read_here(frame: Frame, effect: Effect) -> bool:
    """Whether the function that keeps it reads it back, so that it is no business of anybody else."""
    written = getattr(effect.place, "span", effect.span)
    spots: list[tuple[Range, int]] = frame.loads.get((effect.holder, effect.field), [])
    later = [at for span, at in spots if at > effect.position and span != written]
    ops, blocks = frame.info.function.ops, frame.info.function.blocks
    return any(not exclusive(blocks, ops[effect.position].block, ops[at].block) for at in later)


def _is_outlet(s: State, atom: Atom) -> bool:
    if isinstance(atom, Member):
        call = s.models.call(atom.fqn)
        owner = atom.owner
        if call is not None and call.adds >= 0 and isinstance(owner, Instance) and owner.phase is Phase.REQUEST:
            return True  # `results.append`, `queue.put`
    return any(_receives(s, one, _DEEP) for one in _objects(s, atom))


def _objects(s: State, atom: Atom) -> Iterator[Instance]:
    """The objects of this request behind a value: itself, what a method is bound to, what a function closes over."""
    match atom:
        case Instance() if atom.phase is Phase.REQUEST and not atom.joined:
            yield atom
        case Method():
            yield from _objects(s, atom.receiver)
        case Member():
            yield from _objects(s, atom.owner)
        case FunctionValue(env=Frame(phase=Phase.REQUEST) as env):
            for ident in [name for name in atom.info.free_names if name in env.info.function.bound]:
                for value in _values(env, ident):
                    for one in value:
                        if isinstance(one, Instance):
                            yield from _objects(s, one)


def _values(env: Frame, ident: str) -> Iterator[Value]:
    yield env.args.get(ident, frozenset())
    for position in env.info.binds().get(ident, ()):
        if isinstance(env.info.function.ops[position], Bind):
            yield env.values[position]


def _receives(s: State, instance: Instance, depth: int) -> bool:
    """Whether an object is a queue, holds one, or was filled with request data."""
    kind = s.models.type(instance.fqn) if instance.fqn else None
    if kind is not None and (kind.consumed or kind.holds == "request"):
        return True
    if kind is not None and (kind.database or kind.client):
        return False
    for value in s.heap.get(instance, {}).values():
        for atom in value:
            if isinstance(atom, Taint):
                return True
            if depth > 0 and isinstance(atom, Instance) and atom.phase is Phase.REQUEST and atom is not instance:
                if _receives(s, atom, depth - 1):
                    return True
    return False
