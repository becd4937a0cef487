"""Calls of the program's own functions that leave out an id which is at hand, as suspects.

The callee names the id and has a default for it; the caller has one of exactly this name. Library callees, callees
that only take `**mapping`, and detached work are never suspects.
"""

from __future__ import annotations

from collections.abc import Iterator

from leaklint.index.summary import Attr, Bind, Call, Const, How, Kind, Name
from leaklint.project import calls as solver
from leaklint.project import evaluate
from leaklint.project.bindings import calls, left_out
from leaklint.project.idnames import id_concept, plain
from leaklint.project.overrides import Ids, reached
from leaklint.project.program import FunctionInfo
from leaklint.project.queued import queued
from leaklint.project.routes import Routes
from leaklint.project.spots import Spot, around, conditions, origins
from leaklint.project.state import Frame
from leaklint.project.suspect import PropagationSuspect
from leaklint.project.values import ClassValue, Instance

TRAVELLING = frozenset(("request", "trace", "session", "tenant", "model", "id"))
_DETACHED = frozenset(("create_task", "ensure_future", "run_coroutine_threadsafe", "add_task"))


def ids_not_passed(known: Ids, ways: Routes, ignored: set[tuple[FunctionInfo, str]]) -> Iterator[PropagationSuspect]:
    """Calls in request code that drop an id.

    Args:
        known: what the program does with ids.
        ways: how requests come to functions.
        ignored: parameters that have no effect in their function, which is told as that.
    """
    models = known.found.state.models
    taking = {info for info in known.found.frames if any(id_concept(models, p.name) for p in info.function.params)}
    queueing = known.found.names(lambda model: bool(model.delivers))
    for info, frame in reached(known.found, ways).items():
        if info.function.kind not in (Kind.FUNCTION, Kind.LAMBDA):
            continue
        for spot, call, run, carrier in _calls(known, info, taking, queueing):
            for param in left_out(call, run):
                concept = id_concept(models, param.name)
                if concept not in TRAVELLING or any((t.info, param.name) in ignored for t in run):
                    continue
                if any(_takes_ambient(known, target, param.name, concept) for target in run):
                    continue
                if any(_is_a_mark(known, target, param.name) for target in run):
                    continue
                available = in_scope(known, info, spot.position, param.name)
                if not available or (info, available) in ignored or _told_otherwise(known, info, spot, available):
                    continue
                yield _suspect(ways, frame, spot, run[0], param.name, concept, available, carrier)


def _calls(
    known: Ids, info: FunctionInfo, taking: set[FunctionInfo], queueing: frozenset[str]
) -> Iterator[tuple[Spot, Call, tuple[Frame, ...], str]]:
    """The calls of a function that run one of `taking`, here or in a worker; with what carries a task's arguments."""
    if not taking.isdisjoint(known.found.runs[info]):
        yield from ((spot, call, run, "") for spot, call, run in calls(known.found, info))
    if not queueing.isdisjoint(known.found.asks[info]):
        yield from ((one.spot, one.call, (one.task,), one.carrier) for one in queued(known.found, info))


# --- what is at hand ------------------------------------------------------------------------------------------------


def in_scope(known: Ids, info: FunctionInfo, position: int, name: str) -> str:
    """The expression of an id of this name: a parameter, a local name, or a field of a parameter; empty if none."""
    at: FunctionInfo | None = info
    while at is not None and at.function.kind in (Kind.FUNCTION, Kind.LAMBDA):
        for own in sorted(at.function.bound):
            if plain(own) == plain(name) and _holds_id(at, own, position if at is info else -1):
                return own
        at = at.parent
    return field_of_parameter(known, info, name)


def _holds_id(info: FunctionInfo, name: str, position: int) -> bool:
    """Whether a name surely holds an id by then: a parameter, or bound on every way to here."""
    if position < 0:
        return name in info.param_names and name not in info.binds()
    binds, initial = info.reaching(name, position)
    if initial and name not in info.param_names:
        return False
    values = [op for op in (info.function.ops[b] for b in binds) if isinstance(op, Bind)]
    return all(op.how in (How.ASSIGN, How.WITH, How.AUGMENT) and not isinstance(op.value, Const) for op in values)


def field_of_parameter(known: Ids, info: FunctionInfo, name: str) -> str:
    """`body.session_id`, where the parameter's class declares the field."""
    for param in info.function.params:
        if param.name not in ("self", "cls") and any(
            name in cls.info.fields
            for frame in known.found.frames[info]
            for atom in frame.args.get(param.name, ())
            if isinstance(atom, Instance) and atom.cls is not None
            for cls in solver.mro(known.found.state, atom.cls)[0]
        ):
            return f"{param.name}.{name}"
    return ""


# --- what makes leaving it out right --------------------------------------------------------------------------------


def _takes_ambient(known: Ids, target: Frame, name: str, concept: str) -> bool:
    """Whether the callee takes the ambient id where it is given none: the id travels in the context."""
    return any(use.concept == concept and name in use.asks for use in known.uses.get(target.info, ()))


def _is_a_mark(known: Ids, target: Frame, name: str) -> bool:
    """Whether a default is an object that says "not given": leaving it out means to leave things as they are."""
    default = next(p.default for p in target.info.function.params if p.name == name)
    env = target.env
    if env is None or not isinstance(default, (Attr, Name)):
        return False
    s, end = known.found.state, max(len(env.info.function.ops) - 1, 0)
    if isinstance(default, Attr):
        return any(isinstance(atom, ClassValue) for atom in evaluate.evaluate(s, env, default.base, end))
    if any(isinstance(atom, (Instance, ClassValue)) for atom in evaluate.evaluate(s, env, default, end)):
        return True
    made = [getattr(env.info.function.ops[b], "value", None) for b in env.info.binds().get(default.id, ())]
    return any(isinstance(term, Call) and isinstance(term.func, Name) and term.func.id == "object" for term in made)


def _told_otherwise(known: Ids, info: FunctionInfo, spot: Spot, available: str) -> bool:
    """Whether the callee learns the id in another way, or the call is made for want of it."""
    call, root = spot.term, available.partition(".")[0]
    assert isinstance(call, Call)
    given = [*call.args, *(v for _, v in call.keywords)]
    if isinstance(call.func, Attr):
        given.append(call.func.base)
    if any(root in origins(info, term, spot.position) for term in given):
        return True
    if any(root in origins(info, test, at) for test, at in conditions(info, spot.position)):
        return True
    return any(detaches(known, info, outer) for outer in around(spot))


def detaches(known: Ids, info: FunctionInfo, outer: Spot) -> bool:
    """Whether a term is a call that runs something on its own: a task, a thread."""
    if not isinstance(outer.term, Call):
        return False
    for made in known.found.made(info, outer.term):
        for fqn in made.external:
            model = known.found.state.models.call(fqn)
            if fqn.rpartition(".")[2] in _DETACHED or (model is not None and model.border):
                return True
    func = outer.term.func
    return (func.name if isinstance(func, Attr) else func.id if isinstance(func, Name) else "") in _DETACHED


def _suspect(
    ways: Routes, frame: Frame, spot: Spot, target: Frame, name: str, concept: str, available: str, carrier: str
) -> PropagationSuspect:
    info, module = frame.info, frame.info.module
    return PropagationSuspect(
        function=info.qualname,
        span=module.span(spot.span),
        statement=module.span(info.function.ops[spot.position].span),
        route=ways.route(frame),
        concept=concept,
        name=name,
        available=available,
        callee=target.info.function.name,
        form="parameter",
        example=target.info.module.span(next(p.span for p in target.info.function.params if p.name == name)),
        carrier=carrier,
    )
