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
from fastapi import FastAPI


def create_app() -> FastAPI:
    app = FastAPI()
    notes: list[str] = []

    @app.post("/note/{session_id}")
    async def note(session_id: str, text: str) -> list[str]:
        notes.append(text)
        return notes

    return app


app = create_app()
```

## Use instead

```python
from fastapi import FastAPI


def create_app() -> FastAPI:
    app = FastAPI()
    notes: dict[str, list[str]] = {}

    @app.post("/note/{session_id}")
    async def note(session_id: str, text: str) -> list[str]:
        if session_id not in notes and len(notes) >= 1000:
            del notes[next(iter(notes))]
        notes.setdefault(session_id, []).append(text)
        return notes.setdefault(session_id, [])

    return app


app = create_app()
```

## When it is silent

- The enclosing function itself runs for each request or session.
- What is stored does not come from a request: counters, flags, lazily made clients.
- Keyed by the request's own identity.
- All that is stored was left by requests elsewhere before, and a request that stores it need not be one of these (low
  confidence): where they left it is told.
- Entries are taken out again one by one.

## Fix

Suggested: where one handler alone uses the variable, and sets or empties it in each call, it becomes a variable of the
handler. Else, where listeners of one page use it whose inputs and outputs are written out, a component of the page
keeps one for each session (`gr.State`): listeners are given it, and give it back where they change it; one that raises
keeps nothing. Else it becomes a dict with one for each session, at most a thousand, where all handlers that use it are
given the id of the session, or may ask the framework for it. Refused elsewhere: use the framework's own state of a
session, which the finding names where it is known.

## What is not found

Variables of functions that no start-up code is seen to call.

## References

CWE-488 (exposure of data element to wrong session), CWE-567 (unsynchronized access to shared data).
"""

from __future__ import annotations

from collections.abc import Iterator

from leaklint import words
from leaklint.codemods import first
from leaklint.codemods.own_variable import keep_in_function
from leaklint.codemods.per_session import keep_one_a_session
from leaklint.codemods.session_component import keep_in_component
from leaklint.finding import Family, Fix, Safety, Severity
from leaklint.project.suspect import Kept, Suspect, WriteSuspect
from leaklint.rule import Rule, Sources, Verdict


class ClosureStateWrite(Rule):
    """Judges writes to variables that handlers capture."""

    family = Family.SHARED_STATE
    severity = Severity.LEAK
    fix = Safety.SUGGESTED
    cwe = (488, 567)
    watches = (WriteSuspect,)

    def wants(self, suspect: Suspect) -> bool:
        assert isinstance(suspect, WriteSuspect)
        return suspect.place.kept is Kept.VARIABLE

    def judge(self, suspect: Suspect) -> Iterator[Verdict]:
        assert isinstance(suspect, WriteSuspect)
        outer = words.short(suspect.place.owner)
        yield Verdict(
            f"`{suspect.place.slot}` of `{outer}` is made once for all requests and keeps {words.value(suspect)} of one"
            f"{words.afterwards(suspect)}",
            help=f"keep one for each session, under the session's id{words.home(suspect, 'session')}",
            codemods=(lambda sources: _own(sources, suspect),),
        )


def _own(sources: Sources, suspect: WriteSuspect) -> Fix:
    """One for the call where it uses none of an earlier one, else one for each session."""
    return first(
        lambda: keep_in_function(suspect, sources.open),
        lambda: keep_in_component(suspect, sources.open),
        lambda: keep_one_a_session(suspect, sources.open, sources.is_session),
    )
