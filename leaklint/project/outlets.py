"""Whether a write keeps what one request listens to: a queue that it reads, a sink that it made, a callback of either.

Such an object may hold nothing yet when it is kept; what others put into it belongs to the request that made it.
"""

from __future__ import annotations

from collections.abc import Iterator

from leaklint.index.summary import Attr, Bind, Name, Range
from leaklint.project.guards import is_guarded
from leaklint.project.origins import roots
from leaklint.project.program import exclusive
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
    return bool(outlets) and (_is_handed_in(frame, effect) or _is_read_here(frame, effect))


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
    later = info.function.ops[effect.position + 1 :]
    return any(term.id in names(one) for op in later for one in roots(op))


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
