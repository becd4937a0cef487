"""How the default of a field or parameter can be made anew: which keyword of which function takes a factory.

Takes a solved program and the place of a default. Whether it should be is for the rules.
"""

from __future__ import annotations

from leaklint.index.summary import Bind, Call, Kind, Term
from leaklint.project import calls, evaluate
from leaklint.project.origins import Site
from leaklint.project.state import Frame, State
from leaklint.project.values import External


def factory_for(s: State, at: Site) -> tuple[str, str]:
    """The keyword of a factory, and the function to call with it where the default stands alone; empty if none."""
    frame = _defining(s, at)
    whole = at.param.default if at.param is not None else at.op.value if isinstance(at.op, Bind) else None
    if frame is None or whole is None:
        return "", ""
    if isinstance(whole, Call) and (keyword := _keyword(s, frame, whole.func)):
        return keyword, ""
    if at.param is not None or at.info.function.kind is not Kind.CLASS:
        return "", ""
    field = _field(s, frame, at)
    model = s.models.call(field) if field else None
    return (model.factory, field) if model is not None else ("", "")


def _defining(s: State, at: Site) -> Frame | None:
    """A frame in which the default is evaluated."""
    home = at.info.parent if at.param is not None else at.info
    return next((frame for frame in s.frames if frame.info is home), None)


def _keyword(s: State, frame: Frame, func: Term) -> str:
    models = (s.models.call(a.fqn) for a in _evaluated(s, frame, func))
    return next((model.factory for model in models if model is not None and model.factory), "")


def _evaluated(s: State, frame: Frame, term: Term) -> list[External]:
    value = evaluate.evaluate(s, frame, term, max(len(s.ops(frame)) - 1, 0))
    return [atom for atom in value if isinstance(atom, External)]


def _field(s: State, frame: Frame, at: Site) -> str:
    """What makes the fields of the class around a default, as its decorator or base class has it."""
    cls = frame.cls
    if cls is None:
        return ""
    outer = cls.frame
    for decorator in cls.info.summary.decorators:
        for atom in _evaluated(s, outer, decorator.func if isinstance(decorator, Call) else decorator):
            if (model := s.models.call(atom.fqn)) is not None and model.field:
                return model.field
    types = (s.models.type(fqn) for fqn in calls.mro(s, cls)[1])
    return next((kind.field for kind in types if kind is not None and kind.field), "")
