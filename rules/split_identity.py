"""One call sends two ids of the same concept, or sibling functions resolve one id in different ways.

## What it does

Reports a call in request code whose arguments name the same id twice (in a payload and in the options that route it, in
a body and in a header) where nothing that one was computed from takes part in the other.

Reports, once for a class or module, functions that hand the same id to the same callee or client and do not agree where
it comes from: `send` takes `session_id or self.session_id`, `stream` asks a ContextVar, `batch` sends a constant,
`resume` takes a `session_id` and leaves it out. The trace lists how each of them says it.

## Why it leaks

The receiver looks things up under one of the two, and was chosen by the other: what belongs to one session is sought,
changed or dropped in another.

```
request A                                    request B
payload: session "ann"
options: session "bob"
  routed to B's worker
                                             B's worker drops what it
                                             holds under "ann"     ← A's
```

## Example

```python
from contextvars import ContextVar
from msgspec import Struct

from fastapi import FastAPI

app = FastAPI()
ambient: ContextVar[str] = ContextVar("session", default="")


class Stream(Struct):
    stream_id: str
    session_id: str


def resolve_session_id(options: dict[str, str]) -> str:
    return options.get("session_id") or ambient.get()


def send(payload: dict[str, str], route: dict[str, str]) -> str:
    return f"{payload['session_id']} by {route['session_id']}"


@app.post("/cancel")
def cancel(stream: Stream, options: dict[str, str]) -> str:
    payload = {"stream_id": stream.stream_id, "session_id": stream.session_id}
    route = {"session_id": resolve_session_id(options)}
    return send(payload, route)
```

## Use instead

```python
from contextvars import ContextVar
from msgspec import Struct

from fastapi import FastAPI

app = FastAPI()
ambient: ContextVar[str] = ContextVar("session", default="")


class Stream(Struct):
    stream_id: str
    session_id: str


def resolve_session_id(options: dict[str, str]) -> str:
    return options.get("session_id") or ambient.get()


def send(payload: dict[str, str], route: dict[str, str]) -> str:
    return f"{payload['session_id']} by {route['session_id']}"


@app.post("/cancel")
def cancel(stream: Stream, options: dict[str, str]) -> str:
    session_id = resolve_session_id(options)
    payload = {"stream_id": stream.stream_id, "session_id": session_id}
    route = {"session_id": session_id}
    return send(payload, route)
```

## When it is silent

Both come from one name, one resolver or one another; one of the two is a parameter handed through as it came; the names
differ (`session_id` and `parent_session_id`); the ids are of users, of whom one acts and the other is concerned.

Siblings agree when the same thing stands in where a call was given no id: by one helper, by the same words, or because
a call must bring one. Fresh ids, constants, settings, and what is computed in ways that are not followed, are compared
with nothing. A path of which another rule tells what is wrong (a constant, an override that is dropped) is listed in
the trace, and not reported a second time.

## Fix

Suggested: where one of the two comes from a resolver of the project, the other is taken from the same call. There is
none for siblings: which of the ways is meant, only their author knows.

## What is not found

Ids inside lists or objects, and siblings in different classes.

## References

CWE-488 (exposure of data element to wrong session), CWE-639 (authorisation bypass through a user-controlled key).
"""

from __future__ import annotations

from collections.abc import Iterator

from leaklint.codemods import offer
from leaklint.finding import Family, Fix, Safety, Severity
from leaklint.project.suspect import OverrideSuspect, Suspect
from leaklint.rule import Rule, Sources, Verdict
from leaklint.words import clipped, listed, short


class SplitIdentity(Rule):
    """Judges calls that name one id twice."""

    family = Family.AMBIENT_CONTEXT
    severity = Severity.LEAK
    fix = Safety.SUGGESTED
    cwe = (488, 639)
    watches = (OverrideSuspect,)

    def wants(self, suspect: Suspect) -> bool:
        assert isinstance(suspect, OverrideSuspect)
        return suspect.form in ("split-call", "split-paths")

    def judge(self, suspect: Suspect) -> Iterator[Verdict]:
        assert isinstance(suspect, OverrideSuspect)
        if suspect.form == "split-paths":
            yield _of_siblings(suspect)
            return
        yield Verdict(
            f"the call names two ids as `{suspect.key}`: one from `{suspect.ambient}`, one from `{suspect.override}`",
            help=f"resolve the {suspect.concept} once and send it in both places",
            codemods=(lambda sources: _resolve_once(sources, suspect),) if suspect.resolver and suspect.source else (),
        )


def _of_siblings(suspect: OverrideSuspect) -> Verdict:
    asks = f" and passes over its parameter `{suspect.override}`" if suspect.override else ""
    return Verdict(
        f"`{short(suspect.function)}` sends `{clipped(suspect.ambient)}` as `{suspect.key}`{asks}; "
        f"its sibling `{short(suspect.name)}` sends `{clipped(suspect.resolver)}`",
        help=f"resolve the {suspect.concept} in one helper that {listed(_functions(suspect))} call",
    )


def _functions(suspect: OverrideSuspect) -> list[str]:
    return [path.function.rpartition(".")[2] for path in suspect.paths]


def _resolve_once(sources: Sources, suspect: OverrideSuspect) -> Fix:
    assert suspect.source is not None
    syntax = sources.open(suspect.source.path)
    node = syntax.node_at(suspect.source)
    title = f"Take `{suspect.key}` from `{suspect.resolver}` in both places"
    return offer(title, Safety.SUGGESTED, lambda: syntax.rewrite({node: suspect.resolver}))
