"""Calls of the program's functions: which parameter an argument reaches, and which are left to their defaults.

Structure of calls and signatures only; what a call runs comes from the survey.
"""

from __future__ import annotations

from collections.abc import Iterator

from leaklint.index.summary import Call, Param, ParamKind, Star, Term
from leaklint.project.ambient import Survey
from leaklint.project.program import FunctionInfo
from leaklint.project.spots import Spot
from leaklint.project.state import Frame


def targets(found: Survey, info: FunctionInfo, call: Call) -> tuple[Frame, ...]:
    """The frames that a call runs; none when a library's function is among what it may be."""
    frames: dict[Frame, None] = {}
    for made in found.made(info, call):
        if any(not _is_place(found, fqn) for fqn in made.external):
            return ()
        frames.update(dict.fromkeys(made.targets))
    return tuple(frames)


def _is_place(found: Survey, fqn: str) -> bool:
    """Whether a library name only says where an object of the program was kept: `State.proxy.stream`."""
    models = found.state.models
    owner = fqn.rpartition(".")[0].rpartition(".")[0]
    return models.type(owner) is not None and models.call(fqn) is None


def argument(call: Call, target: Frame, name: str) -> Term | None:
    """The term that reaches a parameter by keyword or position."""
    for keyword, value in call.keywords:
        if keyword == name:
            return value
    for position, param in enumerate(_positional(target)):
        if param.name == name and position < len(call.args):
            return call.args[position]
    return None


def may_pass(call: Call, target: Frame, name: str) -> bool:
    """Whether a call passes a parameter, or spreads something that may hold it."""
    if any(keyword is None for keyword, _ in call.keywords) or any(isinstance(a, Star) for a in call.args):
        return True
    return argument(call, target, name) is not None


def _positional(target: Frame) -> list[Param]:
    """Parameters that positional arguments reach, without the receiver."""
    plain = (ParamKind.POSITIONAL, ParamKind.POSITIONAL_ONLY)
    params = [p for p in target.info.function.params if p.kind in plain]
    return params[1:] if target.receiver is not None else params


def left_out(call: Call, all_targets: tuple[Frame, ...]) -> Iterator[Param]:
    """Parameters with a default that every target of a call names and the call does not pass."""
    first, *others = all_targets
    for param in first.info.function.params:
        if param.default is None or param.kind in (ParamKind.VAR_POSITIONAL, ParamKind.VAR_KEYWORD):
            continue
        if any(not _takes(other, param.name) for other in others):
            continue
        if not any(may_pass(call, target, param.name) for target in all_targets):
            yield param


def _takes(target: Frame, name: str) -> bool:
    return any(p.name == name and p.default is not None for p in target.info.function.params)


def calls(found: Survey, info: FunctionInfo) -> Iterator[tuple[Spot, Call, tuple[Frame, ...]]]:
    """The calls of a function that run functions of the program only."""
    seen: set[int] = set()
    for spot in found.calls(info):
        assert isinstance(spot.term, Call)
        if spot.term.order not in seen:
            seen.add(spot.term.order)
            run = targets(found, info, spot.term)
            if run:
                yield spot, spot.term, run
