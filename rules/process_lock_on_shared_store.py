"""A lock of one process is all that guards state which the other workers reach as well.

## What it does

Reports a `threading` or `asyncio` lock that is held over a look-up in a database, a cache or a file and a write there
that depends on it, when nothing asks the store itself to keep others out.

## Why it leaks

A server runs in several worker processes, on several machines, and each has a lock of its own. All of them can hold
theirs at the same time:

```
worker 1                               worker 2
takes its lock
reads seats: 1 left
                                       takes its own lock
                                       reads seats: 1 left
writes 0 left
                                       writes 0 left    ← sold twice
```

## Example

```python
import asyncio

import redis.asyncio as redis
from fastapi import FastAPI

app = FastAPI()
store = redis.Redis()
lock = asyncio.Lock()


@app.post("/seat/{show}")
async def book(show: str) -> bool:
    async with lock:
        left = int(await store.get(show) or 0)
        if left == 0:
            return False
        await store.set(show, left - 1)
        return True
```

## Use instead

```python
import redis.asyncio as redis
from fastapi import FastAPI

app = FastAPI()
store = redis.Redis()


@app.post("/seat/{show}")
async def book(show: str) -> bool:
    left = await store.decr(show)
    if left < 0:
        await store.incr(show)
        return False
    return True
```

## When it is silent

- The store is asked too: `with_for_update`, `nx=True`, `ON CONFLICT`, `WATCH`, an upsert.
- A lock that reaches further is held: a file lock, a lock in the store.
- The program says that it runs in one process (`workers=1`), or its framework serves from one.
- The file is one that the same function has log lines written to, which it shortens.
- The write does not depend on what was read; the lock guards the memory of this process.

## Fix

None is made for you: whether the row is locked, the statement made atomic or an advisory lock taken is for you to say.

## What is not found

Stores whose calls are not modelled, and locks that are held in a caller.

## References

CWE-362 (concurrent execution with improper synchronization), CWE-667 (improper locking).
"""

from __future__ import annotations

from collections.abc import Iterator

from leaklint.finding import Family, Severity
from leaklint.project.suspect import StoreLockSuspect, Suspect
from leaklint.rule import Rule, Verdict
from leaklint.words import clipped


class ProcessLockOnSharedStore(Rule):
    """Judges locks of one process around what all processes share."""

    family = Family.RACES
    severity = Severity.RACE
    cwe = (362, 667)
    watches = (StoreLockSuspect,)

    def judge(self, suspect: Suspect) -> Iterator[Verdict]:
        assert isinstance(suspect, StoreLockSuspect)
        yield Verdict(
            f"`{suspect.lock}` keeps out this process only, and `{clipped(suspect.write_text)}` depends on what other "
            "processes change too",
            help="have the store keep others out: lock the row, make it one statement, or take a lock in the store",
        )
