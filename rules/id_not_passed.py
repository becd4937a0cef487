"""A function that takes an id is called without the one that is at hand.

## What it does

Reports a call of one of the project's own functions that names an id (of a request, trace, session, tenant, model)
with a default, where the caller has an id of exactly this name and does not pass it. A task of the project that is
queued for a worker is such a call too.

## Why it leaks

The callee falls back on its default: the request's lines in the log cannot be joined, the wrong model or session
answers, or an answer cannot be told from that of another request on the same connection.

## Example

```python
from fastapi import FastAPI

app = FastAPI()


def open_session(name: str, request_id: str | None = None) -> dict[str, str | None]:
    return {"name": name, "request_id": request_id}


@app.post("/sessions")
def start(name: str, request_id: str) -> dict[str, str | None]:
    session = open_session(name)
    return {**session, "asked_by": request_id}
```

## Use instead

```python
from fastapi import FastAPI

app = FastAPI()


def open_session(name: str, request_id: str | None = None) -> dict[str, str | None]:
    return {"name": name, "request_id": request_id}


@app.post("/sessions")
def start(name: str, request_id: str) -> dict[str, str | None]:
    session = open_session(name, request_id=request_id)
    return {**session, "asked_by": request_id}
```

## When it is silent

The callee is a library's, or takes the id only through `**mapping`; the call spreads a mapping or list that may hold
the id; the callee gets the id in another form (an object made from it, a receiver made from it); the call is made
because there is no id; the work is detached (`create_task`, a background task) and has an id of its own.

## Fix

Safe: the id is passed by keyword. Suggested where the call spreads a mapping, or hands over the arguments of a task in
one.

## What is not found

Ids that the caller has under another name, or as an attribute of its own object.

## References

CWE-778 (insufficient logging), CWE-223 (omission of security-relevant information).
"""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from leaklint.codemods.pass_argument import pass_argument, send_entry
from leaklint.finding import Family, Fix, Safety, Severity
from leaklint.project.suspect import PropagationSuspect, Suspect
from leaklint.rule import Rule, Sources, Verdict


class IdNotPassed(Rule):
    """Judges calls of the project's own functions that leave an id to its default."""

    family = Family.PROPAGATION
    severity = Severity.TRACE
    fix = Safety.SAFE
    cwe = (778, 223)
    watches = (PropagationSuspect,)

    def wants(self, suspect: Suspect) -> bool:
        assert isinstance(suspect, PropagationSuspect)
        return suspect.form == "parameter"

    def judge(self, suspect: Suspect) -> Iterator[Verdict]:
        assert isinstance(suspect, PropagationSuspect)
        yield Verdict(
            f"`{suspect.callee}` takes `{suspect.name}`, and this call leaves it to its default "
            f"although `{suspect.available}` is at hand",
            help=f"pass `{suspect.name}={suspect.available}`",
            codemods=(lambda sources: _pass(sources, suspect),),
        )


def _pass(sources: Sources, suspect: PropagationSuspect) -> Fix:
    syntax = sources.open(suspect.span.path)
    call = syntax.node_at(suspect.span, cst.Call)
    if not suspect.carrier:
        return pass_argument(syntax, call, suspect.name, suspect.available)
    if sum(argument.keyword is None for argument in call.args) > 1:
        return Fix("", Safety.SUGGESTED, refused=f"`{suspect.carrier}` may be passed by its position")
    return send_entry(syntax, call, suspect.carrier, suspect.name, suspect.available)
