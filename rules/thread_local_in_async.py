"""A thread-local keeps request data on an event loop, where all requests run in one thread.

## What it does

Reports an attribute of a `threading.local` that gets request data in code that runs on an event loop, when the loop
goes on with other requests before the value is read or taken back; and reads, on an event loop, of what only threads of
a pool ever set.

## Why it leaks

A thread-local keeps threads apart. An event loop runs all its requests in one thread:

```
request A                            request B
state.user = "a"
await next()
                                     state.user = "b"
                                     await next()
state.user                           "b"
```

## Example

```python
import threading

from fastapi import FastAPI, Request

app = FastAPI()
state = threading.local()


@app.middleware("http")
async def note_user(request: Request, call_next):
    state.user = request.headers["X-User"]
    return await call_next(request)


@app.get("/whoami")
async def whoami() -> str:
    return state.user
```

## Use instead

```python
from contextvars import ContextVar

from fastapi import FastAPI, Request

app = FastAPI()
state_user = ContextVar("state_user")


@app.middleware("http")
async def note_user(request: Request, call_next):
    state_user.set(request.headers["X-User"])
    return await call_next(request)


@app.get("/whoami")
async def whoami() -> str:
    return state_user.get()
```

## When it is silent

- The code runs in threads only: WSGI servers, synchronous handlers, workers.
- The value says nothing about a request: a connection, an event loop or a parser for each thread.
- The value is set and taken back, and the loop does not go on in between.
- Nobody reads the attribute.

## Fix

Safe: each attribute becomes a ContextVar, where the thread-local is used in one file, all uses are plain reads, stores,
`getattr` and `hasattr` with a name, and none of them runs in a thread pool. Else none, and the use in the way is named.

## What is not found

Reads in code that no request was seen to reach, such as filters of loggers, when nothing else reads the attribute.

## References

CWE-488 (exposure of data element to wrong session), CWE-668 (exposure of resource to wrong sphere). Python: PEP 567.
"""

from __future__ import annotations

from collections.abc import Iterator

from leaklint.codemods.thread_local import to_context_variables
from leaklint.finding import Family, Fix, Safety, Severity
from leaklint.project.suspect import Suspect, ThreadLocalSuspect
from leaklint.rule import Rule, Sources, Verdict
from leaklint.words import clipped


class ThreadLocalInAsync(Rule):
    """Judges thread-locals that code on an event loop uses."""

    family = Family.SHARED_STATE
    severity = Severity.LEAK
    fix = Safety.SAFE
    cwe = (488, 668)
    watches = (ThreadLocalSuspect,)

    def judge(self, suspect: Suspect) -> Iterator[Verdict]:
        assert isinstance(suspect, ThreadLocalSuspect)
        message = (
            f"`{suspect.name}` keeps `{clipped(suspect.value)}` for a thread that all requests of the event loop share"
            if suspect.value
            else f"`{suspect.name}` is set in threads of a pool, and read here on the event loop"
        )
        yield Verdict(
            message,
            help=f"keep it in a ContextVar, or pass the {suspect.concept or 'value'} along",
            codemods=(lambda sources: _converted(sources, suspect),),
        )


def _converted(sources: Sources, suspect: ThreadLocalSuspect) -> Fix:
    return to_context_variables(sources.open(suspect.created.path), suspect)
