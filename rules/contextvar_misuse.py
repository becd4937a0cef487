"""A ContextVar does not keep requests apart: its default is shared, or what one request sets is left for the next.

## What it does

Reports a ContextVar whose default is a list, dict or other object that request code changes; a generator that sets a
ContextVar for the length of its `yield` and does not set it back; and a ContextVar that is set where the thread takes
its next request in the same context (WSGI servers, task workers), when nothing resets it and other requests read it
without setting it first.

## Why it leaks

The default is one object. Each context starts without a value of its own, so all of them get that object, and what one
puts in stays for all:

```
request A                            request B
notes.get().append("a's secret")
                                     notes.get()     ["a's secret"]
```

## Example

```python
from contextvars import ContextVar

from fastapi import FastAPI

app = FastAPI()
notes: ContextVar[list[str]] = ContextVar("notes", default=[])


@app.post("/notes")
async def add(text: str) -> list[str]:
    notes.get().append(text)
    return notes.get()
```

## Use instead

```python
from contextvars import ContextVar

from fastapi import FastAPI

app = FastAPI()
notes: ContextVar[list[str] | None] = ContextVar("notes", default=None)


def get_notes() -> list[str]:
    value = notes.get()
    if value is None:
        value = []
        notes.set(value)
    return value


@app.post("/notes")
async def add(text: str) -> list[str]:
    get_notes().append(text)
    return get_notes()
```

## When it is silent

- The default is only read, or copied before it is changed: `{**current.get(), "user": user}`.
- The default is `None`, a string or a number.
- What is put in is kept under the request's own id, or is no data of the request.
- The variable is reset in the same generator (`token = var.set(x)`, `try`, `yield`, `finally: var.reset(token)`).
- The server makes a task, and so a context, for each request (ASGI): what is set there ends with it.
- A hook that runs before every request sets the variable, whatever the request is.

## Fix

Safe: the default becomes `None`, and a new collection is made for each context at its first use, in all files that
read the variable. Suggested for an object of a class, which contexts may share for a reason; none where that class
makes a lock, or where other code sets the variable and the default is for all the rest. None where the variable is
passed on, where its default is made elsewhere, and for variables that are not set back: how far a value shall reach is
for you to say.

## What is not found

Set-and-forget below WSGI servers that are reached through Django, which runs on both kinds. Generators as sync
dependencies of FastAPI, whose `reset` raises because each step runs in a copy of the context.

## References

CWE-488 (exposure of data element to wrong session), CWE-668 (exposure of resource to wrong sphere). Python: PEP 567.
"""

from __future__ import annotations

from collections.abc import Iterator

from leaklint.codemods.contextvar import own_default
from leaklint.finding import Family, Fix, Safety, Severity
from leaklint.project.suspect import ContextVarSuspect, Misuse, Suspect
from leaklint.rule import Codemod, Rule, Sources, Verdict


class ContextvarMisuse(Rule):
    """Judges context variables that do not keep requests apart."""

    family = Family.SHARED_STATE
    severity = Severity.LEAK
    fix = Safety.SAFE
    cwe = (488, 668)
    watches = (ContextVarSuspect,)

    def judge(self, suspect: Suspect) -> Iterator[Verdict]:
        assert isinstance(suspect, ContextVarSuspect)
        message, help_ = _WORDS[suspect.misuse]
        yield Verdict(message.format(suspect.name), help=help_.format(suspect.name), codemods=_codemods(suspect))


_WORDS = {
    Misuse.DEFAULT: (
        "the default of `{}` is one object for all requests, and request code changes it",
        "make the default `None`, and set a new object in each context",
    ),
    Misuse.GENERATOR: (
        "`{}` stays set for the caller when this generator is done",
        "keep the token, and reset it behind the `yield`: `{}.reset(token)` in a `finally`",
    ),
    Misuse.KEPT: (
        "`{}` stays set for the next request on this thread, and nothing resets it",
        "set it at the start of every request, or keep the token and call `{}.reset(token)` in a `finally`",
    ),
}


def _codemods(suspect: ContextVarSuspect) -> tuple[Codemod, ...]:
    if suspect.misuse is Misuse.DEFAULT:
        return (lambda sources: _own(sources, suspect),)
    return ()


def _own(sources: Sources, suspect: ContextVarSuspect) -> Fix:
    return own_default(sources.open(suspect.span.path), suspect, sources.open)
