"""Session state is looked up, another request runs, and the step that depends on the look-up comes too late.

## What it does

Reports a look-up of an entry in a shared map that is kept for a session, a user or a key (or of an attribute of the
object kept there), followed by an insert, an update or a close of the same entry that depends on it, where another
request runs in between: at an `await` of a coroutine, anywhere in a thread pool. A look-up or a write in a helper
counts as its caller's.

The same is reported of databases and caches that all worker processes share: a row that is looked for by a session or
user and added when there is none, where nothing makes its column unique; a row of a session or user that is loaded,
changed by what it said (`wallet.credits -= price`) and written back; a key that is looked up and then set to what was
computed from the old value, or set so that only one of two requests may go on. Rows may be of classes, of tables that
SQL text names, or documents of a collection.

## Why it leaks

Both requests find nothing, and both make a session. The second replaces the first, and what went into the first is
lost, or stays open with nobody to close it:

```
request A                                request B
"a" in sessions?  no
await open_session()
                                         "a" in sessions?  no
                                         await open_session()
sessions["a"] = first session
                                         sessions["a"] = second session    ← A's is lost
```

## Example

```python
import httpx
from fastapi import FastAPI

app = FastAPI()
provider = httpx.AsyncClient(base_url="https://provider.example")


class Sessions:
    def __init__(self) -> None:
        self._open: dict[str, str] = {}

    async def acquire(self, user_id: str) -> str:
        if user_id not in self._open:
            self._open[user_id] = await create_session(user_id)
        return self._open[user_id]

    async def release(self, user_id: str) -> None:
        self._open.pop(user_id, None)


async def create_session(user_id: str) -> str:
    response = await provider.post("/sessions", json={"user": user_id})
    return str(response.json()["id"])


sessions = Sessions()


@app.post("/ask")
async def ask(user_id: str, text: str) -> str:
    return f"{await sessions.acquire(user_id)}: {text}"


@app.delete("/session")
async def leave(user_id: str) -> None:
    await sessions.release(user_id)
```

## Use instead

```python
import asyncio
from weakref import WeakValueDictionary

import httpx
from fastapi import FastAPI

app = FastAPI()
provider = httpx.AsyncClient(base_url="https://provider.example")


class Sessions:
    def __init__(self) -> None:
        self._open: dict[str, str] = {}
        self._open_locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def acquire(self, user_id: str) -> str:
        async with self._open_locks.setdefault(user_id, asyncio.Lock()):
            if user_id not in self._open:
                self._open[user_id] = await create_session(user_id)
        return self._open[user_id]

    async def release(self, user_id: str) -> None:
        self._open.pop(user_id, None)


async def create_session(user_id: str) -> str:
    response = await provider.post("/sessions", json={"user": user_id})
    return str(response.json()["id"])


sessions = Sessions()


@app.post("/ask")
async def ask(user_id: str, text: str) -> str:
    return f"{await sessions.acquire(user_id)}: {text}"


@app.delete("/session")
async def leave(user_id: str) -> None:
    await sessions.release(user_id)
```

## When it is silent

- A lock is held over both: by `with`, by `acquire` and `release`, by a decorator, by everybody who calls the function,
  by a context manager of the program. A lock that is made for the call, a semaphore that admits several, and a lock of
  an event loop in a thread do not count.
- The entry is looked up again behind the `await`, before the write.
- A placeholder (a future, a task) is stored before the first `await`: single flight.
- `setdefault` does both in one step; on an event loop, so does everything between two awaits.
- What is awaited never gives control back to the event loop.
- What is stored is a copy of what is kept elsewhere: fetched twice, it is the same twice.
- Lazily made clients and caches that belong to no session.
- The store sees to it: the column is unique or the row locked, the insert is an upsert or its failure is caught, the
  key is set only where there is none, by a script, or in a transaction that watches it; the new value is an expression
  that the database computes, or the row has a version. A cache that is filled with
  what would be computed the same again is no race; nor is a row looked for by an id that the request has just made,
  or chosen, by what is no column, from all that a user has. (A lock of the process around a store is told by
  `process-lock-on-shared-store`.)
- A second row is one of many: other code adds such rows under the same columns without looking, the look-up takes the
  first of them, and nobody who finds one is turned away; or only administrators come there (low confidence).

## Fix

Suggested: a coroutine holds one `asyncio.Lock` for each key, made beside the map, from the look-up to the write, and
one for all where an attribute is looked up; a lock is kept as long as somebody holds it. In a thread pool an insert
becomes `setdefault`, behind the look-up where the value is more than an empty collection. Not safe, because requests of
one key wait for each other then. None for stores: a constraint needs a migration, and which command or transaction fits
is for you to say.

For rows, by hand: let the database keep them apart, and let the second insert fail in a savepoint of its own, so that
what else the transaction did stays, or let it do nothing (`on_conflict_do_nothing`):

```diff
 class Chat(Base):
-    user_id: Mapped[str]
+    user_id: Mapped[str] = mapped_column(unique=True)

 def open_chat(db: Session, user_id: str) -> Chat:
     wanted = select(Chat).where(Chat.user_id == user_id)
     if db.scalar(wanted) is None:
-        db.add(Chat(user_id=user_id))
+        try:
+            with db.begin_nested():
+                db.add(Chat(user_id=user_id))
+        except IntegrityError:
+            pass  # another request was first
         db.commit()
     return db.scalars(wanted).one()
```

## What is not found

Stores whose calls are not modelled; SQL that is put together at run time, and rows added to tables that the program
does not create, which may be unique for all it says; rows that are written back by code which the function does not
call, as a session that commits when the request ends, and those of which a user has many; look-ups more than two calls
away from the write.

## References

CWE-367 (time-of-check time-of-use race condition), CWE-362.
"""

from __future__ import annotations

from collections.abc import Iterator

from leaklint.codemods.lock import hold_lock, use_setdefault
from leaklint.finding import Family, Fix, Safety, Severity
from leaklint.project.suspect import RaceForm, RaceSuspect, Suspect
from leaklint.rule import Rule, Sources, Verdict


class CheckThenAct(Rule):
    """Judges look-ups that another request can outdate before they are acted on."""

    family = Family.RACES
    severity = Severity.RACE
    fix = Safety.SUGGESTED
    cwe = (367, 362)
    watches = (RaceSuspect,)

    def judge(self, suspect: Suspect) -> Iterator[Verdict]:
        assert isinstance(suspect, RaceSuspect)
        yield Verdict(
            f"{_seen(suspect)} {_between(suspect)}, {_then(suspect)}",
            help=_help(suspect),
            codemods=() if suspect.store else (lambda sources: _one_step(sources, suspect),),
        )


def _one_step(sources: Sources, suspect: RaceSuspect) -> Fix:
    syntax = sources.open(suspect.span.path)
    if suspect.doer != suspect.function or suspect.useless:
        where = f"{suspect.act.path}:{suspect.act.line}"
        reason = f"the look-up and the write at {where} are in different functions or under a lock"
        return Fix("", Safety.SUGGESTED, refused=reason)
    if suspect.threads:
        return use_setdefault(syntax, suspect.span, suspect.act)
    return hold_lock(syntax, suspect.span, suspect.act, suspect.place, suspect.key)


def _seen(suspect: RaceSuspect) -> str:
    if suspect.row and suspect.form is RaceForm.UPDATE:
        return f"the `{suspect.place}` of this `{suspect.key}`"
    if suspect.row:
        return f"whether there is a `{suspect.place}` for this `{suspect.key}`"
    return f"what `{suspect.place}` holds for `{suspect.key}`" if suspect.key else f"`{suspect.place}`"


def _between(suspect: RaceSuspect) -> str:
    if suspect.row and suspect.form is RaceForm.UPDATE:
        return "is loaded, changed by what it said and written back, while others do the same"
    if suspect.store:
        return f"is looked up and then {'acted on' if suspect.row else 'set'}, while others ask the same store"
    if suspect.pause is None:
        return "is looked up and then acted on while other threads run"
    return f"is looked up here and acted on {'later' if suspect.threads else 'after an await'}"


def _then(suspect: RaceSuspect) -> str:
    if suspect.row and suspect.form is RaceForm.INSERT:
        return "so two requests both find none and both add one"
    if suspect.store and suspect.form is RaceForm.INSERT:
        return "so two requests both find nothing and both go on"
    return {
        RaceForm.INSERT: "so two requests both find nothing and the second replaces what the first stored",
        RaceForm.UPDATE: "so two requests both start from the old value and one change is lost",
        RaceForm.REMOVE: "so two requests both end it, or one ends what another has just stored",
    }[suspect.form]


def _help(suspect: RaceSuspect) -> str:
    if suspect.row and suspect.form is RaceForm.UPDATE:
        return "let the database compute the new value, lock the row when it is loaded, or give it a version"
    if suspect.row:
        return (
            f"make `{suspect.key}` unique in `{suspect.place}` and let the second insert fail, or insert with an upsert"
        )
    if suspect.store:
        return "use one command, script or transaction of the store for both, and go by its answer"
    if suspect.useless:
        return "hold one lock for each key, kept beside the map, which all these requests share"
    lock = "`threading.Lock`" if suspect.threads else "`asyncio.Lock`"
    if suspect.pause is None and suspect.form is RaceForm.INSERT:
        return f"use `setdefault`, or hold one {lock} for each key over the look-up and the write"
    return f"hold one {lock} for each key over the look-up and the write"
