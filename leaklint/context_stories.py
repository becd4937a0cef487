"""What findings about context variables and thread-locals tell: the parts of `tell` for their suspects.

Every sentence comes from a fact in the suspect; routes, and what all suspects have in common, are told by `tell`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from leaklint.finding import Confidence, Moment, Step, StepRole
from leaklint.project.suspect import (
    Aside,
    ContextLostSuspect,
    ContextVarSuspect,
    Misuse,
    Suspect,
    ThreadLocalSuspect,
    Use,
)
from leaklint.words import clipped, short

_RELATED = 12  # further sites that a trace lists
_ASIDE = {Aside.NO: Confidence.HIGH, Aside.LINES: Confidence.MEDIUM, Aside.FIGURES: Confidence.LOW}


def subject(suspect: Suspect) -> str:
    """The variable that a finding is about; empty for suspects of other kinds."""
    match suspect:
        case ContextVarSuspect(name=name) | ThreadLocalSuspect(name=name):
            return f"{suspect.function}.{name}"
        case ContextLostSuspect(name=name, callee=callee):
            return f"{suspect.function}.{name} ({callee})"
        case _:
            return ""


def statement(suspect: Suspect) -> str:
    """What the primary statement says; empty for suspects of other kinds."""
    match suspect:
        case ContextVarSuspect(name=name, default=default, value=value, misuse=misuse):
            return f"{name}: {default}" if misuse is Misuse.DEFAULT else f"{name}.set({value})"
        case ThreadLocalSuspect(name=name, value=value):
            return f"{name} = {value}"
        case ContextLostSuspect(callee=callee, border=border):
            return f"{border}: {callee}"
        case _:
            return ""


def because(suspect: Suspect) -> Iterator[str]:
    """Why leaklint thinks so, as clauses."""
    match suspect:
        case ContextVarSuspect(misuse=Misuse.DEFAULT, name=name, value=value):
            yield f"the default of `{name}` is made once, for all contexts"
            if value:
                yield f"`{clipped(value)}` carries request data"
        case ContextVarSuspect(misuse=Misuse.GENERATOR, name=name):
            yield f"a generator runs in the context of its caller, where `{name}` stays set"
        case ContextVarSuspect(misuse=Misuse.KEPT, name=name):
            yield f"the thread takes its next request in the same context, and nothing resets `{name}`"
        case ThreadLocalSuspect(value=value, concept=concept):
            yield "all requests of an event loop run in one thread"
            if value:
                yield f"`{clipped(value)}` carries {f'the {concept} of the request' if concept else 'request data'}"
        case ContextLostSuspect(border="thread", callee=callee):
            yield f"the thread that runs `{short(callee)}` has a context of its own"
        case ContextLostSuspect(border="process", callee=callee):
            yield f"the process that runs `{short(callee)}` has a context of its own"
        case ContextLostSuspect(callee=callee):
            yield f"`{short(callee)}` takes from the queue in a context of its own"


def confidence(suspect: Suspect) -> Confidence | None:
    """How sure the facts make it; `None` for suspects of other kinds."""
    match suspect:
        case ContextVarSuspect(misuse=Misuse.DEFAULT):
            return Confidence.HIGH
        case ContextVarSuspect():
            return Confidence.MEDIUM
        case ThreadLocalSuspect(suspends=suspends, readers=readers):
            return Confidence.HIGH if suspends is not None and readers else Confidence.MEDIUM
        case ContextLostSuspect(aside=aside):
            return _ASIDE[aside]
        case _:
            return None


def trace(suspect: Suspect) -> Iterator[Step]:
    """The steps behind the route."""
    match suspect:
        case ContextVarSuspect(misuse=Misuse.DEFAULT):
            yield from _steps(StepRole.WRITE, "changes the one default", suspect.writes)
            yield Step(StepRole.SHARED, suspect.span, "the default is made once, for all contexts")
            yield from _steps(StepRole.READ, "gets it, with what others put in", suspect.readers)
        case ContextVarSuspect():
            yield Step(StepRole.WRITE, suspect.span, f"sets `{suspect.name}`, and nothing sets it back")
            yield from _steps(StepRole.READ, "read here, whoever set it last", suspect.readers)
        case ThreadLocalSuspect():
            verb = f"keeps `{clipped(suspect.value)}` in" if suspect.value else "reads"
            yield Step(StepRole.WRITE, suspect.span, f"{verb} `{suspect.name}`")
            if suspect.suspends is not None:
                yield Step(StepRole.RELATED, suspect.suspends, "other requests of the same thread run here")
            yield Step(StepRole.SHARED, suspect.created, "one value for each thread")
            yield from _steps(StepRole.READ, "read here, whoever wrote it last", suspect.readers)
        case ContextLostSuspect():
            yield Step(StepRole.WRITE, suspect.span, f"runs `{short(suspect.callee)}` without the caller's context")
            yield from (Step(StepRole.CALL, hop.span, f"calls `{short(hop.callee)}`") for hop in suspect.way)
            yield Step(StepRole.READ, suspect.read, f"reads `{suspect.name}`")
            yield Step(StepRole.RELATED, suspect.setter, "set here, in the context of the request")


def timeline(suspect: Suspect) -> Iterator[Moment]:
    """Two requests, interleaved so that the second gets what the first left."""
    match suspect:
        case ContextVarSuspect(misuse=Misuse.DEFAULT, readers=readers, writes=writes):
            yield Moment(0, f"puts its own into the default of `{suspect.name}`", writes[0].span)
            if readers:
                yield Moment(1, f"gets the same default from `{suspect.name}`", readers[0].span, "← A's")
        case ContextVarSuspect(misuse=Misuse.KEPT, readers=readers):
            yield Moment(0, f"sets `{suspect.name}`", suspect.span)
            yield Moment(0, "is answered; the thread is free")
            yield Moment(1, f"reads `{suspect.name}`, which it did not set", readers[0].span, "← A's")
        case ThreadLocalSuspect(readers=readers) if suspect.value and readers:
            yield Moment(0, f"keeps `{clipped(suspect.value)}` in `{suspect.name}`", suspect.span)
            yield Moment(0, "waits", suspect.suspends)
            yield Moment(1, f"keeps its own `{clipped(suspect.value)}`, in the same thread", suspect.span)
            yield Moment(0, f"reads `{suspect.name}`", readers[0].span, "← B's")


def _steps(role: StepRole, message: str, uses: Iterable[Use]) -> Iterator[Step]:
    for number, use in enumerate(uses):
        if number >= _RELATED:
            return
        yield Step(role, use.span, message)
