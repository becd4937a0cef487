"""Whether a term stands for the same constant in every request, and not only for the constants that were seen.

Asks syntax as well as values: what a callee or a look-up gives may be a constant in one case and unknown in another.
"""

from __future__ import annotations

from leaklint.index.summary import Attr, Bind, Call, Const, Function, How, Name, ParamKind, Star, Term
from leaklint.project import evaluate
from leaklint.project.state import Frame, State
from leaklint.project.values import Literal, Phase

_DEEP = 3  # calls and bindings that are followed


def is_fixed(s: State, frame: Frame, term: Term, at: int, deep: int = _DEEP) -> bool:
    """Whether a term is one constant, whoever asks.

    Args:
        s: the state.
        frame: whose names the term uses.
        term: the term.
        at: position of the operation that the term belongs to.
        deep: how many callers and bindings are looked at.
    """
    match term:
        case Const():
            return True
        case Name(id=ident) if ident in frame.info.function.bound and ident not in frame.info.function.globals:
            return deep > 0 and _is_fixed_local(s, frame, ident, at, deep)
        case Name() | Attr():
            value = evaluate.evaluate(s, frame, term, at)
            return len(value) == 1 and all(isinstance(atom, Literal) for atom in value)
        case _:
            return False


def _is_fixed_local(s: State, frame: Frame, ident: str, at: int, deep: int) -> bool:
    positions, initial = frame.info.reaching(ident, at)
    for position in positions:
        op = frame.info.function.ops[position]
        if not isinstance(op, Bind) or op.how is not How.ASSIGN or not is_fixed(s, frame, op.value, position, deep - 1):
            return False
    return not initial or all(_is_always_passed(s, f, ident, deep) for f in s.frames_of[frame.info])


def _is_always_passed(s: State, frame: Frame, param: str, deep: int) -> bool:
    """Whether every caller passes a constant for the parameter."""
    if frame.phase is Phase.SETUP:
        return True
    if frame.entry is not None or not frame.callers:
        return False
    for caller, call in frame.callers.items():
        made = caller.made.get(call.order)
        passed = _passed(frame.info.function, call, param, frame.receiver is not None)
        if isinstance(passed, Const):
            continue
        if made is None or passed is None or not is_fixed(s, caller, passed, made.position, deep - 1):
            return False
    return True


def _passed(function: Function, call: Call, param: str, bound: bool) -> Term | None:
    """The term that a call passes for a parameter, or else its default."""
    for name, value in call.keywords:
        if name == param:
            return value
    positional = [p for p in function.params if p.kind in (ParamKind.POSITIONAL, ParamKind.POSITIONAL_ONLY)][bound:]
    for known, arg in zip(positional, call.args, strict=False):
        if isinstance(arg, Star):
            return None
        if known.name == param:
            return arg
    return next((p.default for p in function.params if p.name == param and isinstance(p.default, Const)), None)
