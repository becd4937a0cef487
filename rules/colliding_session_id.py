"""An id can be the same for two sessions, or be foreseen.

## What it does

Reports session, user and tenant ids that come from a clock, `hash()`, `id()`, a small random range, a counter of the
process, a uuid cut short, the address of the client or the name of the user alone.

## Why it leaks

Two visitors of the same second, the same address or the same name get one session, and an id that can be guessed can
be taken:

```
request A         session_id = f"chat_{int(time.time())}"      chat_1767225600
request B         session_id = f"chat_{int(time.time())}"      chat_1767225600     ← A's session
```

## Example

```python
import time

from fastapi import FastAPI

app = FastAPI()
histories: dict[str, list[str]] = {}


@app.post("/chat")
async def chat(text: str) -> str:
    session_id = f"chat_{int(time.time())}"
    histories.setdefault(session_id, []).append(text)
    return session_id


@app.delete("/chat/{session_id}")
async def forget(session_id: str) -> None:
    histories.pop(session_id, None)
```

## Use instead

```python
import uuid

from fastapi import FastAPI

app = FastAPI()
histories: dict[str, list[str]] = {}


@app.post("/chat")
async def chat(text: str) -> str:
    session_id = f"chat_{uuid.uuid4()}"
    histories.setdefault(session_id, []).append(text)
    return session_id


@app.delete("/chat/{session_id}")
async def forget(session_id: str) -> None:
    histories.pop(session_id, None)
```

## When it is silent

A `uuid4` or the request's own identity is part of the id; the id is a label that nothing is kept by or sent with; it
comes from a database.

## Fix

`uuid.uuid4()` in place of what collides. Safe where both are texts; suggested where a number becomes a text, which what
it is kept in may not take. Refused where the id is that of an object which the function looks up: it is a key, and the
same object must get the same one again; where it is a digest of what the function knows, made to come out the same; and
where a function that hands out known ids too is asked for it at several places.

## What is not found

Ids computed by code that leaklint does not know, and counters kept in plain integers.

## References

CWE-340 (generation of predictable numbers or identifiers), CWE-330, CWE-488.
"""

from __future__ import annotations

from collections.abc import Iterator

from leaklint.codemods import identity
from leaklint.finding import Family, Fix, Safety, Severity
from leaklint.project.suspect import IdOrigin, IdSuspect, Suspect
from leaklint.rule import Rule, Sources, Verdict


class CollidingSessionId(Rule):
    """Judges ids that can repeat or be foreseen."""

    family = Family.SESSION_IDENTITY
    severity = Severity.LEAK
    fix = Safety.SAFE
    cwe = (340, 330, 488)
    watches = (IdSuspect,)

    def wants(self, suspect: Suspect) -> bool:
        assert isinstance(suspect, IdSuspect)
        return suspect.origin is IdOrigin.COLLIDING

    def judge(self, suspect: Suspect) -> Iterator[Verdict]:
        assert isinstance(suspect, IdSuspect)
        yield Verdict(
            f"`{suspect.name}` comes from {suspect.why}: two sessions can have the same",
            help="use `uuid.uuid4()`",
            codemods=(lambda sources: _fresh(sources, suspect),),
        )


def _fresh(sources: Sources, suspect: IdSuspect) -> Fix:
    syntax = sources.open(suspect.value_span.path)
    return identity.fresh_instead(syntax, syntax.node_at(suspect.value_span), suspect.value, sources.open)
