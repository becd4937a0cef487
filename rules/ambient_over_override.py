"""An id is taken from the surroundings although this call was given one.

## What it does

Reports an ambient id (of a context variable, of a getter that reads one, of global settings) that goes into a payload,
an argument or a key of a function which has an override of the same id in scope: a parameter, or options that the
project's own resolvers of the id ask. A callee that builds the payload counts as the function itself. Likewise the id
that an object keeps (`self.session_id`), where a parameter of this name says another for the call.

## Why it leaks

The caller says which session, tenant or key this call is for, and the call goes to another one: to whatever the
surroundings of the running task happen to hold.

```
request A                              request B
ambient session: team
call(..., session_id="ann")
  sends session "team"
                                       ambient session: team
                                       call(..., session_id="bob")
                                         sends session "team"    ← A's state
```

## Example

```python
from contextvars import ContextVar

from fastapi import FastAPI

app = FastAPI()
ambient: ContextVar[str] = ContextVar("session", default="")


def current_session_id() -> str:
    return ambient.get()


def payload(note: str, session_id: str) -> dict[str, str]:
    return {"note": note, "session_id": current_session_id()}


@app.post("/notes")
async def add(note: str, session_id: str) -> dict[str, str]:
    return payload(note, session_id)
```

## Use instead

```python
from contextvars import ContextVar

from fastapi import FastAPI

app = FastAPI()
ambient: ContextVar[str] = ContextVar("session", default="")


def current_session_id() -> str:
    return ambient.get()


def payload(note: str, session_id: str) -> dict[str, str]:
    return {"note": note, "session_id": session_id}


@app.post("/notes")
async def add(note: str, session_id: str) -> dict[str, str]:
    return payload(note, session_id)
```

## When it is silent

The override is asked first (`session_id or current_session_id()`, an `if` about it, a resolver that gets both); the two
are compared; the function makes the override the ambient value itself; the id goes to a log line, or under another
name than the override's (`actor_id` beside `user_id`); the payload's id is replaced before it is sent. Where today all
calls hand in what the surroundings say, confidence is low.

## Fix

Safe: the parameter replaces the ambient id. Suggested where the parameter has a default (the ambient id stays as the
last resort) and where the project has a resolver of its own, which is then called: also one that only a sibling shows
in use, for a setting that the override may replace.

## What is not found

Ids that an object keeps, where the parameter has no default that says "none given". Ambient ids behind several layers
of objects, and overrides inside untyped mappings that no resolver of the project reads.

## References

CWE-488 (exposure of data element to wrong session), CWE-639 (authorisation bypass through a user-controlled key).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import libcst as cst

from leaklint.codemods import Refused, offer
from leaklint.codemods.resolve_first import ask_first
from leaklint.finding import Edit, Family, Fix, Safety, Severity
from leaklint.project.suspect import OverrideSuspect, Suspect
from leaklint.rule import Rule, Sources, Verdict
from leaklint.words import short


class AmbientOverOverride(Rule):
    """Judges ambient ids in functions that were given an id of their own."""

    family = Family.AMBIENT_CONTEXT
    severity = Severity.LEAK
    fix = Safety.SAFE
    cwe = (488, 639)
    watches = (OverrideSuspect,)

    def wants(self, suspect: Suspect) -> bool:
        assert isinstance(suspect, OverrideSuspect)
        return suspect.form in ("ambient", "built", "keyed")

    def judge(self, suspect: Suspect) -> Iterator[Verdict]:
        assert isinstance(suspect, OverrideSuspect)
        where = "the call uses"
        if suspect.form != "ambient":
            what = "payload" if suspect.form == "built" else "key"
            where = f"the {what} that `{short(suspect.callee)}` makes takes `{suspect.key}` from"
        yield Verdict(
            f"{where} `{suspect.ambient}` although `{suspect.override}` says which {suspect.concept} this call is for",
            help=_help(suspect),
            codemods=_codemods(suspect),
        )


def _codemods(suspect: OverrideSuspect) -> tuple[Callable[[Sources], Fix], ...]:
    if suspect.resolver:
        return (lambda sources: _use_override(sources, suspect),)
    if suspect.form == "ambient" and suspect.kind == "settings":
        return (lambda sources: _ask_first(sources, suspect),)
    return ()


def _ask_first(sources: Sources, suspect: OverrideSuspect) -> Fix:
    syntax = sources.open(suspect.span.path)
    return ask_first(syntax, syntax.node_at(suspect.span), suspect.override, sources.open)


def _help(suspect: OverrideSuspect) -> str:
    if suspect.form == "keyed":
        return f"pass `{suspect.override}` to `{short(suspect.callee)}` and use it there"
    return f"use `{suspect.resolver}`" if suspect.resolver else f"ask `{suspect.override}` first"


def _use_override(sources: Sources, suspect: OverrideSuspect) -> Fix:
    syntax = sources.open(suspect.span.path)
    node = syntax.node_at(suspect.span)
    if suspect.form == "ambient":
        safety = Safety.SAFE if suspect.resolver == suspect.override else Safety.SUGGESTED
        return offer(f"Use `{suspect.resolver}`", safety, lambda: syntax.rewrite({node: suspect.resolver}))
    payload = f'{{**{syntax.code(node)}, "{suspect.key}": {suspect.resolver}}}'

    def convert() -> tuple[Edit, ...]:
        if isinstance(syntax.parent(node), cst.Await):
            raise Refused(f"the payload is awaited at {syntax.site(node)}")
        return syntax.rewrite({node: payload})

    return offer(f"Put `{suspect.resolver}` into the payload", Safety.SUGGESTED, convert)
