"""Parameters that name an id, are given one by callers, and have no effect, as suspects.

Signatures that something else dictates are left alone: handlers, overriding methods, callbacks, decorated functions.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from leaklint.index.summary import (
    Attr,
    Call,
    Const,
    FunctionRef,
    Item,
    Kind,
    Name,
    Param,
    ParamKind,
    Range,
    pack,
    unpack,
)
from leaklint.project import calls as solver
from leaklint.project.ambient import dotted
from leaklint.project.bindings import argument, calls, left_out
from leaklint.project.idnames import id_concept
from leaklint.project.overrides import Ids, reached
from leaklint.project.program import FunctionInfo
from leaklint.project.routes import Routes
from leaklint.project.spots import Spot, around, names
from leaklint.project.state import Frame
from leaklint.project.suspect import OverrideSuspect

_PLAIN = frozenset(("staticmethod", "classmethod"))
_UNUSED = re.compile(r"#.*(ARG00\d|W0613|unused)")  # marks by which other linters are told
_SAID_UNUSED = re.compile(r"\b(unused|ignored|not (\w+ )?used|never used|compatibility)\b", re.IGNORECASE)
_WHOLE_SCOPE = frozenset(("locals", "vars", "eval", "exec"))
_ROOTS = frozenset(("builtins.object", "abc.ABC", "typing.Generic", "typing.Protocol"))


def ignored_overrides(known: Ids, ways: Routes) -> Iterator[tuple[OverrideSuspect, FunctionInfo]]:
    """Ids that callers pass to functions which do nothing with them."""
    nearest = reached(known.found, ways)
    valued: set[str] | None = None
    for info, frame in nearest.items():
        params = [p for p in info.function.params if _may_be_ignored(known, info, p)]
        if not params or _dictated(known, info):
            continue
        for param in params:
            form = _form(known, info, param)
            if not form or not _given(known, nearest, info, param):
                continue
            if valued is None:
                valued = _used_as_values(known)
            if info.function.name not in valued:
                yield _suspect(known, ways, frame, param, form), info


def _may_be_ignored(known: Ids, info: FunctionInfo, param: Param) -> bool:
    if param.name.startswith("_") or param.kind in (ParamKind.VAR_POSITIONAL, ParamKind.VAR_KEYWORD):
        return False
    concept = id_concept(known.found.state.models, param.name)
    optional = isinstance(param.default, Const) and param.default.value is None
    is_id = bool(concept) and (concept != "user" or optional)
    return is_id and not _is_said_unused(info, param)  # the text last: it stands in the way of reuse


def _is_said_unused(info: FunctionInfo, param: Param) -> bool:
    """Whether a mark for another linter or the docstring says that the parameter is there for show."""
    if _UNUSED.search(_line(info, param)):
        return True
    entries = re.findall(rf"\b{param.name}\b(?: \([^)]*\))?:((?:(?! \w+(?: \([^)]*\))?:).)*)", _docstring(info))
    return any(_SAID_UNUSED.search(entry) for entry in entries)


def _docstring(info: FunctionInfo) -> str:
    """The text between a function's name and its first operation, white space folded."""
    ops = info.function.ops
    if not ops:
        return ""
    _, _, line, column = unpack(info.function.head)
    first, start, _, _ = unpack(ops[0].span)
    return info.module.source(pack(line, column, first, start)) if (line, column) < (first, start) else ""


def _line(info: FunctionInfo, param: Param) -> str:
    line, column, _, _ = unpack(param.span)
    return info.module.source(pack(line, column, line, 0xFFFF))


def _dictated(known: Ids, info: FunctionInfo) -> bool:
    """Whether a signature is not the function's own choice."""
    function, s = info.function, known.found.state
    if function.kind is not Kind.FUNCTION or function.stub:
        return True
    if function.name.startswith("__") and function.name != "__init__":
        return True
    if any(not (isinstance(d, Name) and d.id in _PLAIN) for d in function.decorators):
        return True
    frames = known.found.frames[info]
    if any(f.entry is not None or f in s.filled for f in frames):
        return True
    return info.owner is not None and _shares_method(known, info)


def _shares_method(known: Ids, info: FunctionInfo) -> bool:
    """Whether a base class or a subclass knows a method of this name, or a library's class stands behind."""
    name, s = info.function.name, known.found.state
    for cls in solver.heirs(s, info.owner) if info.owner is not None else ():
        order, externals = solver.mro(s, cls)
        if cls.info is info.owner and (set(externals) - _ROOTS):
            return True
        if any(name in c.info.methods for c in order if c.info is not info.owner):
            return name != "__init__" or cls.info is info.owner
    return False


# --- use ------------------------------------------------------------------------------------------------------------


def _form(known: Ids, info: FunctionInfo, param: Param) -> str:
    """ "ignored" or "logged"; empty when the parameter has an effect."""
    mentions = list(_mentions(known, info, param.name))
    if not mentions:
        return "ignored" if _acts(known, info) and not _sees_all(known, info) else ""
    only_logged = all(at is info and _is_logged(known, info, spot) for at, spot in mentions)
    concept = id_concept(known.found.state.models, param.name)
    if only_logged and concept in ("session", "tenant", "model") and _pass_on(known, info, param) is not None:
        return "logged"
    return ""


def _mentions(known: Ids, info: FunctionInfo, name: str) -> Iterator[tuple[FunctionInfo, Spot]]:
    """Where a name occurs in a function and those nested in it, their defaults and decorators included."""
    for spot in known.found.spots(info):
        if isinstance(spot.term, Name) and spot.term.id == name:
            yield info, spot
        if isinstance(spot.term, FunctionRef):
            yield from _in_nested(known, info, spot, info.module.functions[spot.term.index], name)
    for inner in info.module.functions:
        if inner.function.parent == info.function.index:
            yield from _mentions(known, inner, name)


def _in_nested(
    known: Ids, info: FunctionInfo, spot: Spot, inner: FunctionInfo, name: str
) -> Iterator[tuple[FunctionInfo, Spot]]:
    outside = [p.default for p in inner.function.params if p.default is not None]
    if any(name in names(term) for term in (*outside, *inner.function.decorators)):
        yield inner, spot


def _acts(known: Ids, info: FunctionInfo) -> bool:
    """Whether the function does anything that an id could decide: calls, looks up, stores."""
    return any(
        isinstance(s.term, Item) or s.role == "target" or (isinstance(s.term, Call) and not _is_counted(known, info, s))
        for s in known.found.spots(info)
    )


def _is_counted(known: Ids, info: FunctionInfo, spot: Spot) -> bool:
    """Whether a call writes log lines or figures, belongs to one that does, or is only asked in a test."""
    chain = (spot, *around(spot))
    if any(at.role == "test" for at in chain):
        return True
    return any(
        isinstance(at.term, Call) and (known.found.is_log(info, at.term) or _is_of_metrics(at.term)) for at in chain
    )


def _is_of_metrics(call: Call) -> bool:
    return any("metric" in name.lower() for name in dotted(call.func))


def _sees_all(known: Ids, info: FunctionInfo) -> bool:
    return any(
        isinstance(s.term, Call) and isinstance(s.term.func, Name) and s.term.func.id in _WHOLE_SCOPE
        for s in known.found.spots(info)
    )


def _is_logged(known: Ids, info: FunctionInfo, spot: Spot) -> bool:
    at = spot.outer
    while at is not None:
        if isinstance(at.term, Call) and known.found.is_log(info, at.term):
            return True
        at = at.outer
    return False


def _given(known: Ids, nearest: dict[FunctionInfo, Frame], info: FunctionInfo, param: Param) -> bool:
    """Whether request code passes the parameter, and to this function alone."""
    given = False
    callers = {caller.info for frame in known.found.frames[info] for caller in frame.callers}
    for caller in callers:
        if caller not in nearest:
            continue
        for _, call, run in calls(known.found, caller):
            mine = [target for target in run if target.info is info]
            if not mine:
                continue
            if len({target.info for target in run}) > 1:
                return False  # one of several that are called alike
            passed = argument(call, mine[0], param.name)
            given = given or (passed is not None and not isinstance(passed, Const))
    return given


def _used_as_values(known: Ids) -> set[str]:
    """Names that the program uses in other ways than to call them: callbacks, entries of tables."""
    valued: set[str] = set()
    for module in known.found.state.program.modules:
        for info in module.functions:
            for spot in known.found.spots(info):
                if spot.role not in ("func", "base") and isinstance(spot.term, (Name, Attr)):
                    valued.add(spot.term.id if isinstance(spot.term, Name) else spot.term.name)
    return valued


# --- suspects -------------------------------------------------------------------------------------------------------


def _pass_on(known: Ids, info: FunctionInfo, param: Param) -> Spot | None:
    """A call that takes a parameter of the same name and is not given it."""
    for spot, call, run in calls(known.found, info):
        if any(p.name == param.name for p in left_out(call, run)):
            return spot
    return None


def _suspect(known: Ids, ways: Routes, frame: Frame, param: Param, form: str) -> OverrideSuspect:
    info, module = frame.info, frame.info.module
    onward = _pass_on(known, info, param)
    return OverrideSuspect(
        function=info.qualname,
        span=module.span(_name_span(info)),
        statement=module.span(info.function.head),
        route=ways.route(frame),
        concept=id_concept(known.found.state.models, param.name),
        override=param.name,
        ambient="",
        resolver="",
        form=form,
        pass_on=module.span(onward.span) if onward is not None else None,
        name=param.name,
    )


def _name_span(info: FunctionInfo) -> Range:
    """The range of a function's name in its `def` line."""
    line, _, end_line, end = unpack(info.function.head)
    return pack(line, end - len(info.function.name.encode()), end_line, end)
