"""A new id is made for a request or trace that already has one in scope.

## What it does

Reports a generated id (`uuid4()`, `token_hex()`) that is bound or passed as a `request_id`, `trace_id`,
`correlation_id` or another configured id, in a function that was given one of this name; and a parameter `session_id`
that is overwritten by a generated one.

## Why it leaks

The chain breaks here. What happens from now on is logged, billed or answered under an id that nobody asked with, and
cannot be joined with the request that caused it.

## Example

```python
from uuid import uuid4

import httpx
from fastapi import FastAPI, Header

app = FastAPI()


@app.post("/ask")
async def ask(text: str, request_id: str = Header()) -> dict[str, str]:
    async with httpx.AsyncClient() as client:
        answer = await client.post("https://model.test", json={"text": text}, headers={"X-Request-ID": str(uuid4())})
    return {"answer": answer.text, "request_id": request_id}
```

## Use instead

```python
import httpx
from fastapi import FastAPI, Header

app = FastAPI()


@app.post("/ask")
async def ask(text: str, request_id: str = Header()) -> dict[str, str]:
    async with httpx.AsyncClient() as client:
        answer = await client.post("https://model.test", json={"text": text}, headers={"X-Request-ID": request_id})
    return {"answer": answer.text, "request_id": request_id}
```

## When it is silent

- The new id is for want of one: `request_id or str(uuid4())`, `if not request_id:`, in an `except`.
- It is a child's: `span_id`, `child_request_id`, `new_request_id`, `attempt_id`.
- It is for detached work (`create_task`, a thread) that goes by an id of its own.
- A session is made from a session: `Session(session_id=str(uuid4()))` in a function that has a `session_id`.

## Fix

Suggested: use the id in scope; a parameter that was overwritten keeps what it was given.

## What is not found

Ids of the surroundings (in a ContextVar, in the headers of the request) that a fresh one is made beside.

## References

CWE-778 (insufficient logging), CWE-223 (omission of security-relevant information).
"""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from leaklint.codemods.replace_expression import drop_assignment, replace_expression
from leaklint.finding import Family, Fix, Safety, Severity
from leaklint.project.suspect import PropagationSuspect, Suspect
from leaklint.rule import Rule, Sources, Verdict
from leaklint.words import clipped


class IdRegenerated(Rule):
    """Judges fresh ids that take the place of one in scope."""

    family = Family.PROPAGATION
    severity = Severity.TRACE
    fix = Safety.SUGGESTED
    cwe = (778, 223)
    watches = (PropagationSuspect,)

    def wants(self, suspect: Suspect) -> bool:
        assert isinstance(suspect, PropagationSuspect)
        return suspect.form == "fresh"

    def judge(self, suspect: Suspect) -> Iterator[Verdict]:
        assert isinstance(suspect, PropagationSuspect)
        yield Verdict(
            f"`{clipped(suspect.callee)}` makes a new `{suspect.name}` although `{suspect.available}` is at hand",
            help=f"go on with `{suspect.available}`",
            codemods=(lambda sources: _kept(sources, suspect),),
        )


def _kept(sources: Sources, suspect: PropagationSuspect) -> Fix:
    syntax = sources.open(suspect.span.path)
    node = syntax.node_at(suspect.span)
    assert isinstance(node, cst.BaseExpression)
    if suspect.name == suspect.available:
        return drop_assignment(syntax, node, suspect.name)
    return replace_expression(syntax, node, suspect.available, safety=Safety.SUGGESTED)
