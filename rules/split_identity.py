"""One call sends two ids of the same concept that come from different places.

## What it does

Reports a call in request code whose arguments name the same id twice (in a payload and in the options that route it, in
a body and in a header) where nothing that one was computed from takes part in the other.

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
from dataclasses import dataclass

from fastapi import FastAPI

app = FastAPI()
ambient: ContextVar[str] = ContextVar("session", default="")


@dataclass
class Stream:
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
from dataclasses import dataclass

from fastapi import FastAPI

app = FastAPI()
ambient: ContextVar[str] = ContextVar("session", default="")


@dataclass
class Stream:
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

## Fix

Suggested: where one of the two comes from a resolver of the project, the other is taken from the same call.

## What is not found

Ids inside lists or objects, and sibling paths of one class each of which is in agreement with itself.

## References

CWE-488 (exposure of data element to wrong session), CWE-639 (authorisation bypass through a user-controlled key).
"""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from leaklint.codemods import offer
from leaklint.finding import Family, Fix, Safety, Severity
from leaklint.project.suspect import OverrideSuspect, Suspect
from leaklint.rule import Rule, Sources, Verdict


class SplitIdentity(Rule):
    """Judges calls that name one id twice."""

    family = Family.AMBIENT_CONTEXT
    severity = Severity.LEAK
    fix = Safety.SUGGESTED
    cwe = (488, 639)
    watches = (OverrideSuspect,)

    def wants(self, suspect: Suspect) -> bool:
        assert isinstance(suspect, OverrideSuspect)
        return suspect.form == "split-call"

    def judge(self, suspect: Suspect, node: cst.CSTNode) -> Iterator[Verdict]:
        assert isinstance(suspect, OverrideSuspect)
        yield Verdict(
            f"the call names two ids as `{suspect.key}`: one from `{suspect.ambient}`, one from `{suspect.override}`",
            help=f"resolve the {suspect.concept} once and send it in both places",
            codemods=(lambda sources: _resolve_once(sources, suspect),) if suspect.resolver and suspect.source else (),
        )


def _resolve_once(sources: Sources, suspect: OverrideSuspect) -> Fix:
    assert suspect.source is not None
    syntax = sources.open(suspect.source.path)
    node = syntax.node_at(suspect.source)
    title = f"Take `{suspect.key}` from `{suspect.resolver}` in both places"
    return offer(title, Safety.SUGGESTED, lambda: syntax.rewrite({node: suspect.resolver}))
