"""What findings about races and caches tell: the parts of `tell` for their suspects.

Every sentence comes from a fact in the suspect; routes, and what all suspects have in common, are told by `tell`.
"""

from __future__ import annotations

from collections.abc import Iterator

from leaklint.finding import Confidence, Moment, Step, StepRole
from leaklint.project.suspect import (
    CacheSuspect,
    CredentialSuspect,
    GrowthSuspect,
    OwnerSuspect,
    RaceForm,
    RaceSuspect,
    StoreLockSuspect,
    Suspect,
)
from leaklint.words import short

_QUOTED = 60  # characters of source text that a step quotes


def subject(suspect: Suspect) -> str:
    """The shared object that a finding is about; empty for suspects of other kinds."""
    match suspect:
        case RaceSuspect(place=place, key=key):
            return f"{suspect.function}.{place}[{key}]"
        case CacheSuspect(name=name):
            return f"{suspect.function} ({name})"
        case GrowthSuspect(name=name) | CredentialSuspect(name=name) | OwnerSuspect(name=name):
            return f"{suspect.function}.{name}"
        case StoreLockSuspect(lock=lock, store=store):
            return f"{suspect.function}.{lock} ({store})"
        case _:
            return ""


def statement(suspect: Suspect) -> str:
    """What the primary statement says; empty for suspects of other kinds."""
    match suspect:
        case RaceSuspect(check=check, act_text=act):
            return f"{check} ... {act}"
        case CacheSuspect(name=name, key=key):
            return f"{name} by {key}"
        case GrowthSuspect(written=text) | CredentialSuspect(written=text) | OwnerSuspect(look_up=text):
            return text
        case StoreLockSuspect(read_text=read, write_text=write):
            return f"{read} ... {write}"
        case _:
            return ""


def because(suspect: Suspect) -> Iterator[str]:
    """Why leaklint thinks so, as clauses."""
    match suspect:
        case RaceSuspect():
            yield from _because_of_race(suspect)
        case CacheSuspect(key=key):
            yield f"the key is {key}" if key else "there is no key: the first result is given to all"
        case GrowthSuspect(name=name):
            yield f"no code takes anything out of `{name}`"
        case StoreLockSuspect(lock=lock):
            yield f"each worker process has a `{_cut(lock)}` of its own"
        case CredentialSuspect(key=key):
            yield f"requests with the same `{key}` run at the same time"
        case OwnerSuspect(name=name, principal=principal, form=form):
            yield f"the client says `{name}`"
            yield f"`{principal}` " + (
                "is compared with nothing" if form == "parameter" else "asks for a login, of whomever"
            )


def confidence(suspect: Suspect) -> Confidence | None:
    """How sure the facts make it; `None` for suspects of other kinds."""
    match suspect:
        case RaceSuspect(many=True) | RaceSuspect(administrators=True):
            return Confidence.LOW
        case RaceSuspect(sure=sure) | CacheSuspect(sure=sure):
            return Confidence.HIGH if sure else Confidence.MEDIUM
        case GrowthSuspect(concept=concept):
            return Confidence.LOW if concept == "user" else Confidence.HIGH
        case CredentialSuspect() | StoreLockSuspect():
            return Confidence.MEDIUM
        case OwnerSuspect(form=form):
            return Confidence.HIGH if form == "parameter" else Confidence.MEDIUM
        case _:
            return None


def trace(suspect: Suspect) -> Iterator[Step]:
    """The steps behind the route."""
    match suspect:
        case RaceSuspect():
            yield Step(StepRole.READ, suspect.span, f"looks up `{_cut(suspect.check)}`")
            if suspect.pause is not None:
                yield Step(StepRole.RELATED, suspect.pause, "other requests run here")
            yield Step(StepRole.WRITE, suspect.act, _acts(suspect))
            for span in suspect.also:
                yield Step(StepRole.RELATED, span, _also(suspect))
        case CacheSuspect(form="slot", name=name):
            yield Step(StepRole.WRITE, suspect.span, f"`{name}` keeps it for all")
        case CacheSuspect(name=name, needs=needs, source=source):
            yield Step(StepRole.WRITE, suspect.span, f"`{name}` keeps the result")
            if source != suspect.span:
                yield Step(StepRole.READ, source, f"which depends on `{_cut(needs[0])}`")
        case GrowthSuspect(created=created, key=key, also=also):
            yield Step(StepRole.WRITE, suspect.span, f"adds an entry under `{_cut(key)}`")
            if created is not None:
                yield Step(StepRole.SHARED, created, "made once, for the whole process")
            yield from (Step(StepRole.RELATED, span, "here too, and none is taken out") for span in also)
        case CredentialSuspect(created=created, key=key):
            yield Step(StepRole.WRITE, suspect.span, f"keeps one session for `{_cut(key)}`")
            if created is not None:
                yield Step(StepRole.SHARED, created, "made once, for the whole process")
        case StoreLockSuspect():
            yield Step(StepRole.SHARED, suspect.span, "a lock of this process")
            yield Step(StepRole.READ, suspect.read, f"looks up `{_cut(suspect.read_text)}`")
            yield Step(StepRole.WRITE, suspect.write, f"writes what depends on it: `{_cut(suspect.write_text)}`")
        case OwnerSuspect(principal=principal, source=source):
            yield Step(StepRole.READ, suspect.span, f"looks up `{_cut(suspect.look_up)}`")
            yield Step(StepRole.RELATED, source, f"`{principal}` knows who asks")


def timeline(suspect: Suspect) -> Iterator[Moment]:
    """Two requests, interleaved so that they get in each other's way."""
    match suspect:
        case RaceSuspect():
            yield from _two_lanes(suspect)
        case CacheSuspect(form="slot", name=name, needs=(need, *_)):
            yield Moment(0, f"fills `{name}` with the client for its `{need}`", suspect.source)
            yield Moment(1, f"asks for the client of another `{need}`", suspect.span, "← gets A's")
        case CacheSuspect(name=name):
            yield Moment(0, f"fills `{name}` with what is its own", suspect.source)
            yield Moment(1, f"asks `{name}` with the same key", suspect.span, "← gets A's")
        case StoreLockSuspect(lock=lock):
            yield Moment(0, f"in one process takes `{_cut(lock)}`", suspect.span)
            yield Moment(0, "looks up", suspect.read)
            yield Moment(1, f"in another takes its own `{_cut(lock)}`", suspect.span)
            yield Moment(1, "looks up the same", suspect.read)
            yield Moment(0, "writes", suspect.write)
            yield Moment(1, "writes its own", suspect.write, "← A's is lost")
        case CredentialSuspect(name=name, key=key):
            yield Moment(0, f"keeps its session under `{_cut(key)}`", suspect.span)
            yield Moment(1, f"finds it in `{name}`, with the same `{_cut(key)}`", suspect.span, "← A's")
        case OwnerSuspect(name=name):
            yield Moment(0, f"is logged in, and has a session `{name}`")
            yield Moment(1, f"is logged in as somebody else, and says A's `{name}`", suspect.span, "← A's session")


# --- races ----------------------------------------------------------------------------------------------------------


def _because_of_race(suspect: RaceSuspect) -> Iterator[str]:
    if suspect.pause is not None and suspect.pause_text and not suspect.store:
        yield f"other requests run while it waits for `{_cut(suspect.pause_text)}`"
    elif suspect.threads and not suspect.store:
        yield "it runs in a thread pool, where another request goes on at any time"
    if suspect.row and suspect.form is RaceForm.UPDATE:
        yield f"no row of `{suspect.place}` is locked or has a version, and the database does not compute the new value"
    elif suspect.row:
        yield f"nothing in `{suspect.place}` says that `{suspect.key}` is unique, and no row is locked"
    elif suspect.store:
        yield f"`{suspect.store}` is asked twice, and other processes ask it in between"
    elif suspect.useless_reach == "own":
        yield f"`{_cut(suspect.useless)}` is made for this call, and nobody else waits for it"
    elif suspect.useless:
        yield f"`{_cut(suspect.useless)}` is a lock of an event loop, and this runs in threads"
    else:
        yield "no lock is held over both"
    if suspect.administrators:
        yield "only administrators come here"


def _two_lanes(suspect: RaceSuspect) -> Iterator[Moment]:
    seen, waits = _seen(suspect), "waits" if suspect.pause is not None else "is stopped by the scheduler"
    yield Moment(0, f"looks up {_entry(suspect)}: {seen}", suspect.span)
    yield Moment(0, waits, suspect.pause)
    yield Moment(1, f"looks up {_entry(suspect)}: {seen}", suspect.span)
    if suspect.pause is not None:
        yield Moment(1, waits, suspect.pause)
    yield Moment(0, _acts(suspect), suspect.act)
    yield Moment(1, _acts(suspect), suspect.act, _lost(suspect))


def _entry(suspect: RaceSuspect) -> str:
    if suspect.row:
        return f"a `{suspect.place}` by `{suspect.key}`"
    return f"`{_cut(f'{suspect.place}[{suspect.key}]' if suspect.key else suspect.place)}`"


def _seen(suspect: RaceSuspect) -> str:
    return {
        RaceForm.INSERT: "nothing yet",
        RaceForm.UPDATE: "the old value",
        RaceForm.REMOVE: "the entry",
    }[suspect.form]


def _acts(suspect: RaceSuspect) -> str:
    what = {
        RaceForm.INSERT: "adds a row" if suspect.row else "stores its own",
        RaceForm.UPDATE: "stores what it computed from the old value",
        RaceForm.REMOVE: "takes the entry out",
    }[suspect.form]
    where = f" in `{short(suspect.doer)}`" if suspect.doer != suspect.function else ""
    return what + where


def _also(suspect: RaceSuspect) -> str:
    if suspect.form is RaceForm.UPDATE:
        return f"loads a `{suspect.place}` before changing it, too"
    return f"looks for a `{suspect.place}` before adding it, too"


def _lost(suspect: RaceSuspect) -> str:
    if suspect.row and suspect.form is RaceForm.INSERT:
        return "← there are two"
    return {
        RaceForm.INSERT: "← A's is lost",
        RaceForm.UPDATE: "← A's change is lost",
        RaceForm.REMOVE: "← already gone, or somebody else's",
    }[suspect.form]


def _cut(text: str) -> str:
    return text if len(text) <= _QUOTED else f"{text[: _QUOTED - 1]}…"
