"""An id falls back to a constant when none is given.

## What it does

Reports constants that stand in for a missing id: `x or "default"`, `.get("session_id", "default")`, the default of a
parameter or of a data model's field, the last `else` of a chain. The result is used as an id by request code.

## Why it leaks

All who bring no id share the one of the constant:

```
request A, without an id         keeps its messages under "default"
request B, without an id         reads the messages under "default"     ← A's
```

## Example

```python
from fastapi import FastAPI, Request

app = FastAPI()
histories: dict[str, list[str]] = {}


@app.post("/chat")
async def chat(text: str, request: Request) -> list[str]:
    session_id = request.headers.get("X-Session-Id") or "default"
    histories.setdefault(session_id, []).append(text)
    return histories[session_id]


@app.delete("/chat/{session_id}")
async def forget(session_id: str) -> None:
    histories.pop(session_id, None)
```

## Use instead

```python
import uuid

from fastapi import FastAPI, Request

app = FastAPI()
histories: dict[str, list[str]] = {}


@app.post("/chat")
async def chat(text: str, request: Request) -> list[str]:
    session_id = request.headers.get("X-Session-Id") or str(uuid.uuid4())
    histories.setdefault(session_id, []).append(text)
    return histories[session_id]


@app.delete("/chat/{session_id}")
async def forget(session_id: str) -> None:
    histories.pop(session_id, None)
```

## When it is silent

The fallback is fresh; the result is only logged or shown (`name or "unknown"`); the constant is asked for again
(`if session_id == "default"`); nobody in the program calls the function without the id.

## Fix

Suggested: a fresh `uuid4` in place of the constant; the default of a field, or of a parameter that a framework fills
in, becomes a `default_factory`. Where a missing id is a mistake of the caller, refuse the request instead. Refused for
users and tenants: nobody can make up who is asking.

## What is not found

Fallbacks that are made by a library, and defaults inside of an annotation that has a name of its own.

## References

CWE-344 (use of invariant value in dynamically changing context), CWE-488.
"""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from leaklint.codemods import identity
from leaklint.finding import Family, Fix, Safety, Severity
from leaklint.project.suspect import IdOrigin, IdSuspect, Suspect
from leaklint.rule import Rule, Sources, Verdict


class ConstantIdFallback(Rule):
    """Judges constants that stand in for a missing id."""

    family = Family.SESSION_IDENTITY
    severity = Severity.LEAK
    fix = Safety.SUGGESTED
    cwe = (344, 488)
    watches = (IdSuspect,)

    def wants(self, suspect: Suspect) -> bool:
        assert isinstance(suspect, IdSuspect)
        return suspect.origin is IdOrigin.FALLBACK

    def judge(self, suspect: Suspect) -> Iterator[Verdict]:
        assert isinstance(suspect, IdSuspect)
        yield Verdict(
            f"`{suspect.name}` is {suspect.value} for all who bring none",
            help="make a fresh id when none is given, or refuse the request",
            codemods=(lambda sources: _fresh(sources, suspect),) if suspect.in_request or suspect.factory else (),
        )


def _fresh(sources: Sources, suspect: IdSuspect) -> Fix:
    syntax = sources.open(suspect.value_span.path)
    node = syntax.node_at(suspect.value_span)
    if not isinstance(node, cst.SimpleString):
        return Fix("Fall back to a fresh id", Safety.SUGGESTED, refused=f"`{suspect.value}` is no plain text")
    if suspect.factory:
        return identity.fresh_default(syntax, node, suspect.factory, suspect.field)
    if suspect.concept not in identity.MADE_UP:
        who = f"which {suspect.concept} this is"
        return Fix(
            "Fall back to a fresh id", Safety.SUGGESTED, refused=f"nothing there says {who}: {syntax.site(node)}"
        )
    if suspect.form == "default":
        return identity.fresh_fallback(syntax, node)
    known = identity.untried(syntax, node, suspect.available)
    return identity.give_id(syntax, node, known, name=suspect.name, files=sources.open)
