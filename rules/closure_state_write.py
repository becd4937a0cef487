"""Request data is stored in a variable of the function that set the handler up.

## What it does

Reports a handler inside an application factory, an interface builder or a start-up function that changes a variable of
that enclosing function with data of the request: by `nonlocal`, or by changing a list or dict that it captured.

## Why it leaks

The enclosing function runs once, before any request. Its variables live as long as the handlers, and all requests see
the same ones:

```
request A                         request B
notes.append(alice's)
                                  return notes          ← alice's
```

## Example

```python
from flask import Flask, request


def create_app() -> Flask:
    app = Flask(__name__)
    notes: list[str] = []

    @app.post("/note")
    def note() -> list[str]:
        notes.append(request.form["text"])
        return notes

    return app
```

## Use instead

```python
from flask import Flask, request, session


def create_app() -> Flask:
    app = Flask(__name__)
    notes: dict[str, list[str]] = {}

    @app.post("/note")
    def note() -> list[str]:
        own = notes.setdefault(session["session_id"], [])
        own.append(request.form["text"])
        return own

    @app.post("/leave")
    def leave() -> str:
        notes.pop(session["session_id"], None)
        return "bye"

    return app
```

## When it is silent

- The enclosing function itself runs for each request or session.
- What is stored does not come from a request: counters, flags, lazily made clients.
- Keyed by the request's own identity.
- Entries are taken out again one by one.

## Fix

None is made for you yet: use the framework's own state of a session, which the finding names where it is known.

## What is not found

Variables of functions that no start-up code is seen to call.

## References

CWE-488 (exposure of data element to wrong session), CWE-567 (unsynchronized access to shared data).
"""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from leaklint import words
from leaklint.finding import Family, Severity
from leaklint.project.suspect import Kept, Suspect, WriteSuspect
from leaklint.rule import Rule, Verdict


class ClosureStateWrite(Rule):
    """Judges writes to variables that handlers capture."""

    family = Family.SHARED_STATE
    severity = Severity.LEAK
    cwe = (488, 567)
    watches = (WriteSuspect,)

    def wants(self, suspect: Suspect) -> bool:
        assert isinstance(suspect, WriteSuspect)
        return suspect.place.kept is Kept.VARIABLE

    def judge(self, suspect: Suspect, node: cst.CSTNode) -> Iterator[Verdict]:
        assert isinstance(suspect, WriteSuspect)
        outer = words.short(suspect.place.owner)
        yield Verdict(
            f"`{suspect.place.slot}` of `{outer}` is made once for all requests and keeps {words.value(suspect)} of one"
            f"{words.afterwards(suspect)}",
            help=f"keep one for each session, under the session's id{words.home(suspect, 'session')}",
        )
