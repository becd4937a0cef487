"""Questions about a solved program that leave no traces in it: the value of a term, the arguments of a call."""

from __future__ import annotations

from leaklint.index.summary import Call, Star, Term
from leaklint.project import evaluate
from leaklint.project.state import Frame, State
from leaklint.project.values import Value


def value_of(s: State, frame: Frame, term: Term, at: int) -> Value:
    """The value of a term at an operation; the writes of calls in it are not recorded once more."""
    return evaluate.evaluate(s, frame, term, at)


def arguments(term: Call) -> tuple[Term, ...]:
    """All arguments of a call, by position and by keyword."""
    plain = (a.value if isinstance(a, Star) else a for a in term.args)
    return (*plain, *(value for _, value in term.keywords))
