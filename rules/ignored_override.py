"""A function takes an id from its callers and does nothing with it.

## What it does

Reports a parameter that names an id (of a session, tenant, request, model, ...) which callers in request code pass and
which the function never uses, or only logs while a callee of its own would take it.

## Why it leaks

The caller names the session, tenant or user this call is for. Since nobody asks for it, the call works for whatever is
the default: the session that is remembered elsewhere, the tenant of the surroundings, everybody.

## Example

```python
from fastapi import FastAPI

app = FastAPI()
notes: dict[str, list[str]] = {}


def load(name: str, session_id: str | None = None) -> list[str]:
    return notes.get(f"{session_id}/{name}", [])


def describe(name: str, session_id: str | None = None) -> str:
    return ", ".join(load(name))


@app.get("/notes/{name}")
def read_notes(name: str, session_id: str) -> str:
    return describe(name, session_id=session_id)
```

## Use instead

```python
from fastapi import FastAPI

app = FastAPI()
notes: dict[str, list[str]] = {}


def load(name: str, session_id: str | None = None) -> list[str]:
    return notes.get(f"{session_id}/{name}", [])


def describe(name: str, session_id: str | None = None) -> str:
    return ", ".join(load(name, session_id=session_id))


@app.get("/notes/{name}")
def read_notes(name: str, session_id: str) -> str:
    return describe(name, session_id=session_id)
```

## When it is silent

The signature is not the function's own: request handlers and dependencies, methods that a base class or a subclass
knows, decorated functions, functions used as callbacks, one of several that are called alike. The parameter's name
begins with `_`, or nobody in request code passes it. The user that an action concerns is no override.

## Fix

Suggested: the id is passed on to the first callee that takes it under the same name.

## What is not found

Overrides that are used on one branch and forgotten on another.

## References

CWE-488 (exposure of data element to wrong session), CWE-639 (authorisation bypass through a user-controlled key).
"""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from leaklint.codemods.pass_argument import pass_argument
from leaklint.finding import Family, Fix, Safety, Severity
from leaklint.project.suspect import OverrideSuspect, Suspect
from leaklint.rule import Rule, Sources, Verdict
from leaklint.words import short


class IgnoredOverride(Rule):
    """Judges parameters that name an id and have no effect."""

    family = Family.AMBIENT_CONTEXT
    severity = Severity.LEAK
    fix = Safety.SUGGESTED
    cwe = (488, 639)
    watches = (OverrideSuspect,)

    def wants(self, suspect: Suspect) -> bool:
        assert isinstance(suspect, OverrideSuspect)
        return suspect.form in ("ignored", "logged")

    def judge(self, suspect: Suspect) -> Iterator[Verdict]:
        assert isinstance(suspect, OverrideSuspect)
        what = "never uses it" if suspect.form == "ignored" else "only logs it"
        yield Verdict(
            f"`{short(suspect.function)}` takes `{suspect.override}` and {what}: "
            f"the {suspect.concept or 'id'} that callers name has no effect",
            help="pass it on to what the function calls" if suspect.pass_on else "use it, or take the parameter away",
            codemods=(lambda sources: _pass_on(sources, suspect),) if suspect.pass_on is not None else (),
        )


def _pass_on(sources: Sources, suspect: OverrideSuspect) -> Fix:
    assert suspect.pass_on is not None
    syntax = sources.open(suspect.pass_on.path)
    call = syntax.node_at(suspect.pass_on, cst.Call)
    return pass_argument(syntax, call, suspect.name, suspect.override, safety=Safety.SUGGESTED)
