"""Functions that have the id of their request at hand and write log lines without it, as suspects.

Where the program gives ids to its log lines in another way (bound loggers, filters, record factories, a configuration
that is data), nothing is a suspect.
"""

from __future__ import annotations

from collections.abc import Iterator

from leaklint.index.summary import Attr, Call, Kind, Term
from leaklint.project.ambient import own_params
from leaklint.project.calls import mro
from leaklint.project.idnames import id_concept, is_of_child
from leaklint.project.overrides import Ids, reached
from leaklint.project.program import FunctionInfo
from leaklint.project.routes import Routes
from leaklint.project.spots import Spot, origins
from leaklint.project.suspect import PropagationSuspect

_CONCEPTS = ("request", "trace", "session", "id")


def logs_without_id(known: Ids, ways: Routes) -> Iterator[PropagationSuspect]:
    """One suspect a function, at its first log line without the id."""
    if _is_bound_elsewhere(known):
        return
    for info, frame in reached(known.found, ways).items():
        found = _first(known, info) if info.function.kind is Kind.FUNCTION else None
        if found is None:
            continue
        spot, name, concept = found
        module = info.module
        yield PropagationSuspect(
            function=info.qualname,
            span=module.span(spot.span),
            statement=module.span(info.function.ops[spot.position].span),
            route=ways.route(frame),
            concept=concept,
            name=name,
            available=name,
            callee=module.source(getattr(getattr(spot.term, "func", None), "span", 0)),
            form="log",
            example=None,
        )


def _is_bound_elsewhere(known: Ids) -> bool:
    """Whether log lines of the program get ids that their calls do not name."""
    if known.found.names(lambda model: model.log_context):
        return True
    s = known.found.state
    kinds = (s.models.type(base) for cls in list(s.bases) for base in mro(s, cls)[1])
    return any(kind is not None and kind.log_context for kind in kinds)


def _first(known: Ids, info: FunctionInfo) -> tuple[Spot, str, str] | None:
    """The first log line without any id that is a parameter, with that id and its concept."""
    models = known.found.state.models
    ids = [(n, c) for n in sorted(own_params(info)) if (c := id_concept(models, n)) in _CONCEPTS and not is_of_child(n)]
    ids.sort(key=lambda i: _CONCEPTS.index(i[1]))
    if not ids:
        return None
    for spot in known.found.calls(info):
        if isinstance(spot.term, Call) and known.found.is_log(info, spot.term) and _is_line(spot.term):
            used = {name for term in _said(spot.term) for name in origins(info, term, spot.position)}
            if not used & {name for name, _ in ids}:
                return spot, *ids[0]
    return None


def _is_line(call: Call) -> bool:
    """Whether a call of a logger writes a line, and does not only make another logger."""
    return isinstance(call.func, Attr) and call.func.name not in ("bind", "opt", "patch", "write")


def _said(call: Call) -> Iterator[Term]:
    """All that a log call is made of, its logger included."""
    yield call.func
    yield from call.args
    yield from (value for _, value in call.keywords)
