"""Annotations: the objects of the classes that they name, and what aliases of `Annotated[T, ...]` stand for."""

from __future__ import annotations

from leaklint.index.summary import Blend, Const, Display, How, Item, Name, Term
from leaklint.project import calls, evaluate
from leaklint.project.state import MADE, Frame, State
from leaklint.project.values import NOTHING, ClassValue, External, Phase, Value


def typed(s: State, env: Frame, annotation: Term, phase: Phase, handler: Frame | None = None) -> Value:
    """An object of the annotated class, when nothing better is known of a value."""
    key = (id(annotation), env, phase, handler is None)
    known = s.typed.get(key)
    if known is None:
        known = _typed(s, env, annotation, phase, handler)
        if env.rounds and not env.running:
            s.typed[key] = known  # before that, the names in the annotation may not be bound yet
    return known


def _typed(s: State, env: Frame, annotation: Term, phase: Phase, handler: Frame | None) -> Value:
    at = max(len(s.ops(env)) - 1, 0)
    found: Value = NOTHING
    for cls in _annotated_classes(s, env, annotation, at):
        if isinstance(cls, ClassValue):
            if _is_plain_data(s, cls) and handler is None:
                continue
            found = found | {s.the_instance(cls, "", cls.info.module, cls.info.summary.head, phase)}
        elif isinstance(cls, External) and s.models.type(cls.fqn) is not None:
            found = found | library_object(s, env, handler, cls.fqn, phase)
    return found


def library_object(s: State, env: Frame, handler: Frame | None, fqn: str, phase: Phase) -> Value:
    """The object of a library's class that a framework passes: the program's own where one serves the process."""
    kind = s.models.type(fqn)
    if kind is None or kind.holds != "process":
        return frozenset((s.the_instance(None, fqn, env.info.module, 0, phase),))
    the_one = s.the_instance(None, fqn, env.info.module, 0, Phase.SETUP)
    return s.read(the_one, MADE, handler or env) or frozenset((the_one,))


def _is_plain_data(s: State, cls: ClassValue) -> bool:
    kinds = (s.models.type(base) for base in calls.mro(s, cls)[1])
    return not cls.info.methods and not any(kind is not None and kind.holds for kind in kinds)


def _annotated_classes(s: State, env: Frame, annotation: Term, at: int) -> Value:
    if isinstance(annotation, Const):
        return NOTHING
    scope, term = resolve_alias(s, env, annotation)
    if scope is not env:
        env, at = scope, max(len(s.ops(scope)) - 1, 0)
    if isinstance(term, Item):
        makers = evaluate.evaluate(s, env, term.base, at)
        names = {a.fqn.rpartition(".")[2] for a in makers if isinstance(a, External)}
        if names & {"Annotated", "Optional", "Union", "Final", "ClassVar"}:
            inner = term.key.values if isinstance(term.key, Display) else (term.key,)
            parts = inner[:1] if "Annotated" in names else inner
            return NOTHING.union(*(_annotated_classes(s, env, p, at) for p in parts))
        return makers
    if isinstance(term, Blend):  # `A | B`
        return NOTHING.union(*(_annotated_classes(s, env, p, at) for p in term.parts))
    return evaluate.evaluate(s, env, term, at)


def resolve_alias(s: State, env: Frame, term: Term) -> tuple[Frame, Term]:
    """Follow a name to the annotation it was assigned, across modules."""
    for _ in range(5):
        found = _definition(s, env, term)
        if found is None:
            break
        env, term = found
    return env, term


def _definition(s: State, env: Frame, term: Term) -> tuple[Frame, Term] | None:
    if isinstance(term, Name):
        scope: Frame | None = env
        while scope is not None and term.id not in scope.info.function.bound:
            scope = scope.env or s.module_frames.get(scope.info.module) if scope.info.function.parent >= 0 else None
        if scope is None:
            return None
        for position in scope.info.binds().get(term.id, ()):
            op = s.ops(scope)[position]
            value = op.value  # type: ignore[union-attr]
            if op.how is How.ASSIGN and isinstance(value, Item):  # type: ignore[union-attr]
                return scope, value
            if op.how is How.IMPORT:  # type: ignore[union-attr]
                module = s.program.find(scope.info.module, value.module, value.level)  # type: ignore[union-attr]
                if module is not None and value.name:  # type: ignore[union-attr]
                    return calls.import_module(s, module), Name(value.name, 0)  # type: ignore[union-attr]
    return None
