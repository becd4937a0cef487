"""A suspect's recorded facts as the story a finding tells: trace, timeline, reasons, confidence.

Every sentence comes from a fact in the suspect; nothing is looked up again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from leaklint import context_stories, stories
from leaklint.finding import Confidence, Finding, Moment, Span, Step, StepRole
from leaklint.project.suspect import (
    Access,
    FileSuspect,
    Hop,
    IdSuspect,
    Kept,
    OverrideSuspect,
    PlaceKind,
    PropagationSuspect,
    Route,
    SettingSuspect,
    SharedUseSuspect,
    SiblingPath,
    Single,
    Strength,
    Suspect,
    Use,
    WriteSuspect,
)
from leaklint.rule import Rule, Verdict
from leaklint.words import clipped, listed, short
from leaklint.words import slot as kept_in
from leaklint.words import value as kept_value

_RELATED = 12  # further sites that a trace lists
_READ_ANYWAY = (Kept.DEFAULT, Kept.CLIENT, Kept.LIBRARY)  # by the function, the client, the library itself


def tell(rule: Rule, suspect: Suspect, verdict: Verdict) -> Finding:
    """The finding for a verdict, without a fix."""
    return Finding(
        rule=rule.name,
        family=rule.family,
        severity=verdict.severity or rule.severity,
        confidence=verdict.confidence or confidence(suspect),
        span=suspect.span,
        message=verdict.message,
        because=(*because(suspect), *verdict.because),
        trace=tuple(trace(suspect)),
        timeline=tuple(timeline(suspect)),
        help=verdict.help,
        subject=subject(suspect),
        writer=suspect.function,
        statement=statement(suspect),
        declared=tuple(declared(suspect)),
    )


# --- identity -------------------------------------------------------------------------------------------------------


def subject(suspect: Suspect) -> str:
    """The shared object or id that a finding is about."""
    if told := stories.subject(suspect) or context_stories.subject(suspect):
        return told
    match suspect:
        case WriteSuspect(place=place):
            return f"{place.owner}.{place.slot}{''.join(place.path)}"
        case IdSuspect(name=name, form=form):
            return f"{suspect.function}.{name} ({form})"
        case OverrideSuspect(form="split-paths", callee=callee, key=key):
            return f"{callee}.{key} (split-paths)"
        case OverrideSuspect(override=override, form=form):
            return f"{suspect.function}.{override} ({form})"
        case SharedUseSuspect(name=name):
            return f"{suspect.function}.{name}"
        case SettingSuspect(setting=setting):
            return setting
        case FileSuspect(path=path):
            return path
        case _:
            return f"{suspect.function}.{getattr(suspect, 'name', '') or getattr(suspect, 'concept', '')}"


def statement(suspect: Suspect) -> str:
    """What the primary statement says, for fingerprints."""
    if told := stories.statement(suspect) or context_stories.statement(suspect):
        return told
    match suspect:
        case WriteSuspect(place=place, value=value):
            return f"{place.text} = {value}"
        case IdSuspect(value=value):
            return value
        case SettingSuspect(text=text) | FileSuspect(text=text):
            return text
        case _:
            return getattr(suspect, "ambient", "") or getattr(suspect, "callee", "")


def declared(suspect: Suspect) -> Iterator[Span]:
    """Lines on which `# leaklint: shared` speaks for this finding."""
    if isinstance(suspect, WriteSuspect):
        if suspect.place.created is not None:
            yield suspect.place.created
        yield from (u.statement for u in suspect.uses if u.access.value == "store")
    if isinstance(suspect, SharedUseSuspect):
        yield suspect.statement


# --- reasons --------------------------------------------------------------------------------------------------------


def because(suspect: Suspect) -> Iterator[str]:
    """Why leaklint thinks so, as clauses."""
    if suspect.route is not None:
        entry = suspect.route.entry
        kind = "runs for every request" if entry.certain else "looks like code that requests run"
        yield f"`{short(entry.function)}` {kind} ({entry.label})"
    if isinstance(suspect, WriteSuspect):
        yield from _because_of_write(suspect)
    if isinstance(suspect, OverrideSuspect) and suspect.form in ("ambient", "built", "keyed"):
        yield f"`{suspect.override}` belongs to this call; `{suspect.ambient}` belongs to its surroundings"
    if isinstance(suspect, SharedUseSuspect):
        yield f"`{suspect.name}` is shared: {suspect.why}"
    if isinstance(suspect, (SettingSuspect, FileSuspect)) and suspect.value:
        yield f"`{suspect.value}` carries {_carried(suspect.concept)}"
    if isinstance(suspect, IdSuspect):
        yield f"request code uses it as {suspect.use_text}"
    yield from stories.because(suspect)
    yield from context_stories.because(suspect)


def _because_of_write(suspect: WriteSuspect) -> Iterator[str]:
    place = suspect.place
    if place.why:
        yield f"`{_owner(suspect)}` is shared: {place.why}"
    if suspect.value:
        yield f"`{suspect.value}` carries {_carried(suspect.concept)}"
    if suspect.readers:
        others = {short(u.function) for u in suspect.readers}
        yield f"other requests read it in {listed(sorted(others))}"
    elif not suspect.resets and place.kept not in _READ_ANYWAY:
        yield "no request code was seen to read it back"
    if suspect.derived:
        yield "it comes from where a request had left it before, which is the cause"
    if suspect.own_lock:
        yield f"`{_owner(suspect)}` is entered for every write and takes a lock of its own: all are meant to share it"


def _carried(concept: str) -> str:
    if concept == "request":
        return "the request itself"
    return f"the {concept} of the request" if concept else "request data"


def confidence(suspect: Suspect) -> Confidence:
    """From recorded facts: how sure the route is, how personal the data, whether anybody reads it back."""
    judged = _confidence(suspect)
    if suspect.route is not None and suspect.route.entry.assumed:
        return Confidence.MEDIUM if suspect.route.entry.account and _is_set_each_time(suspect) else Confidence.LOW
    if suspect.route is not None and not suspect.route.entry.certain:
        return min(judged, Confidence.MEDIUM, key=lambda c: c.rank)
    return judged


def _is_set_each_time(suspect: Suspect) -> bool:
    """Whether a write puts what is one account's in the place of another's, and is not done by the first alone."""
    return isinstance(suspect, WriteSuspect) and not suspect.guarded


def _confidence(suspect: Suspect) -> Confidence:
    if known := stories.confidence(suspect) or context_stories.confidence(suspect):
        return known
    if isinstance(suspect, WriteSuspect):
        if suspect.derived or suspect.own_lock or (not suspect.readers and suspect.place.kept not in _READ_ANYWAY):
            return Confidence.LOW
        if suspect.place.kept is Kept.LIBRARY and not suspect.place.setting:
            return Confidence.MEDIUM
        if suspect.strength is Strength.CONTENT and suspect.guarded:
            return Confidence.MEDIUM
    if isinstance(suspect, SharedUseSuspect) and suspect.single in (Single.CONNECTION, Single.COOKIES):
        return Confidence.MEDIUM
    if isinstance(suspect, SettingSuspect) and not suspect.known:
        return Confidence.MEDIUM
    if isinstance(suspect, OverrideSuspect) and suspect.same:
        return Confidence.LOW
    if isinstance(suspect, OverrideSuspect) and suspect.kind == "settings":
        return Confidence.MEDIUM
    return Confidence.HIGH


# --- trace ----------------------------------------------------------------------------------------------------------


def trace(suspect: Suspect) -> Iterator[Step]:
    """Entry, calls, the fact itself, then who reads it, why it is shared and what else belongs to it."""
    if suspect.route is not None:
        yield from route(suspect.route)
    match suspect:
        case WriteSuspect():
            yield from _trace_of_write(suspect)
        case IdSuspect():
            yield Step(StepRole.WRITE, suspect.span, f"`{suspect.name}` gets {suspect.value or 'this value'}")
            if suspect.made is not None:
                yield Step(StepRole.RELATED, suspect.made, f"made here, of {suspect.why}")
            yield Step(StepRole.READ, suspect.use, f"used as {suspect.use_text}")
        case SharedUseSuspect():
            yield Step(StepRole.SHARED, suspect.span, suspect.why)
            yield from _steps(StepRole.READ, f"uses the one {suspect.single.value}", suspect.uses)
        case SettingSuspect():
            yield Step(StepRole.WRITE, suspect.span, f"changes {suspect.setting} for the whole process")
            yield from _steps(StepRole.RELATED, "also changed here", suspect.siblings)
            yield from _steps(StepRole.RELATED, "set back here", [suspect.undone] if suspect.undone else [])
        case FileSuspect():
            yield Step(StepRole.WRITE, suspect.span, f"writes `{suspect.path}`, the same file for all requests")
            yield from _steps(StepRole.READ, "read back here, whoever wrote it last", [suspect.reader])
        case OverrideSuspect():
            yield from _trace_of_override(suspect)
        case PropagationSuspect():
            yield from _trace_of_propagation(suspect)
        case _:
            yield from stories.trace(suspect)
            yield from context_stories.trace(suspect)


def route(way: Route) -> Iterator[Step]:
    """The way of a request to the fact."""
    also = f"; also reached from {way.others} other handler{'s' if way.others > 1 else ''}" if way.others else ""
    yield Step(StepRole.ENTRY, way.entry.span, f"request handler [{way.entry.label}]{also}")
    yield from (Step(StepRole.CALL, hop.span, _call(hop)) for hop in way.hops)


def _call(hop: Hop) -> str:
    return f"calls `{short(hop.callee)}`"


def _trace_of_write(suspect: WriteSuspect) -> Iterator[Step]:
    yield Step(StepRole.WRITE, suspect.span, f"keeps {kept_value(suspect)} in `{kept_in(suspect)}`")
    if suspect.place.created is not None:
        yield Step(StepRole.SHARED, suspect.place.created, suspect.place.why or "shared by all requests")
    whose = "whoever put it there" if suspect.access is Access.MUTATE else "whoever wrote it last"
    yield from _steps(StepRole.READ, f"read here, {whose}", suspect.readers)
    yield from _steps(StepRole.RELATED, "also written here", suspect.siblings)
    yield from _steps(StepRole.RELATED, "reset here", suspect.resets)


def _trace_of_override(suspect: OverrideSuspect) -> Iterator[Step]:
    match suspect.form:
        case "ambient":
            yield Step(StepRole.WRITE, suspect.span, f"uses `{suspect.ambient}` and not `{suspect.override}`")
        case "built":
            yield Step(StepRole.WRITE, suspect.span, f"builds the payload without `{suspect.override}`")
        case "keyed":
            yield Step(StepRole.WRITE, suspect.span, f"looks up without `{suspect.override}`")
        case "split-paths":
            yield Step(StepRole.WRITE, suspect.span, f"takes the {suspect.concept} from `{clipped(suspect.ambient)}`")
        case "ignored" | "logged":
            yield Step(StepRole.WRITE, suspect.span, f"takes `{suspect.override}` and does not act on it")
        case _:
            yield Step(StepRole.WRITE, suspect.span, f"sends `{suspect.override}` and `{suspect.ambient}`")
    if suspect.source is not None and suspect.source != suspect.span:
        message = "passes the id here" if suspect.form in ("ignored", "logged") else f"`{suspect.ambient}` is read here"
        yield Step(StepRole.READ, suspect.source, message)
    others = [path for path in suspect.paths if path.span != suspect.span]
    yield from (Step(StepRole.RELATED, path.span, _path(path)) for path in others[:_RELATED])


def _path(path: SiblingPath) -> str:
    also = f", not asking `{path.dropped}`" if path.dropped else ""
    also = f" and `{clipped(path.other)}`" if path.other not in ("", path.text) else also
    return f"`{short(path.function)}` sends `{clipped(path.text)}`{also}"


_WITHOUT = {
    "parameter": "is called without it",
    "outbound": "is sent without it",
    "fresh": "takes its place",
    "log": "writes without it",
}


def _trace_of_propagation(suspect: PropagationSuspect) -> Iterator[Step]:
    what = _WITHOUT[suspect.form]
    yield Step(StepRole.WRITE, suspect.span, f"`{suspect.available}` is at hand, and `{suspect.callee}` {what}")
    if suspect.example is not None:
        message = "takes it" if suspect.form == "parameter" else "another call sends it"
        yield Step(StepRole.RELATED, suspect.example, message)


def _steps(role: StepRole, message: str, uses: Iterable[Use]) -> Iterator[Step]:
    starts = {(use.span.path, use.span.line, use.span.column): use.span for use in uses}
    yield from (Step(role, span, message) for span in list(starts.values())[:_RELATED])


# --- timeline -------------------------------------------------------------------------------------------------------


def timeline(suspect: Suspect) -> Iterator[Moment]:
    """Two requests, interleaved so that the second gets what the first kept."""
    yield from stories.timeline(suspect)
    yield from context_stories.timeline(suspect)
    match suspect:
        case SharedUseSuspect(uses=uses, texts=texts):
            yield Moment(0, f"`{clipped(texts[0])}`", uses[0].span)
            yield Moment(1, f"`{clipped(texts[-1])}`", uses[-1].span, f"← on A's {suspect.single.value}")
        case SettingSuspect(value=value):
            yield Moment(0, f"sets {suspect.setting}", suspect.span)
            yield Moment(1, f"sets {suspect.setting} too" if value else f"relies on {suspect.setting}", suspect.span)
            yield Moment(0, f"goes on with {suspect.setting}", None, "← B's" if value else "")
        case FileSuspect(path=path, reader=reader):
            yield Moment(0, f"writes `{path}`", suspect.span)
            yield Moment(1, f"writes `{path}`", suspect.span)
            yield Moment(0, f"reads `{path}`", reader.span, "← B's")
    if not isinstance(suspect, WriteSuspect) or not suspect.readers:
        return
    slot, reader = kept_in(suspect), suspect.readers[0]
    kept = kept_value(suspect)
    yield Moment(0, f"keeps {kept} in `{slot}`", suspect.span)
    if suspect.guarded:
        yield Moment(1, f"finds `{slot}` already set", suspect.span)
        yield Moment(1, f"reads `{slot}`", reader.span, "← A's")
        return
    if suspect.access.value == "mutate" or suspect.place.path[-1:] == ("[*]",):
        yield Moment(1, f"reads `{slot}`", reader.span, "← A's")
        return
    if suspect.suspends is not None:
        yield Moment(0, "waits", suspect.suspends)
    own = f"its own {kept}" if kept.startswith("`") else "its own"
    yield Moment(1, f"keeps {own}", suspect.span)
    yield Moment(0, f"reads `{slot}`", reader.span, "← B's")


# --- words ----------------------------------------------------------------------------------------------------------


def _owner(suspect: WriteSuspect) -> str:
    if suspect.place.kind is PlaceKind.INSTANCE:
        return short(suspect.place.owner)
    if suspect.place.kind is PlaceKind.CLASS and suspect.place.slot:
        return f"{suspect.place.owner.rpartition('.')[2]}.{suspect.place.slot}"
    return suspect.place.slot or short(suspect.place.owner)
