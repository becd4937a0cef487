"""One database session, connection or cursor serves all requests.

## What it does

Reports an ORM session, a connection or a cursor that is made at import or start-up, or kept by a memoising function or
a lazily set name, and that request code uses.

## Why it leaks

A session has one transaction and one set of loaded objects. Requests that share it commit, roll back and read what the
others have not finished:

```
request A                         request B
session.add(alice's order)
                                  session.rollback()
session.commit()      ← nothing of alice's is stored
```

On a shared cursor the rows that one request selected are fetched by another.

## Example

```python
from flask import Flask, request
from sqlalchemy import create_engine, text
from sqlalchemy.orm import sessionmaker

app = Flask(__name__)
Session = sessionmaker(create_engine("postgresql:///shop"))
session = Session()


@app.post("/orders")
def order() -> str:
    session.execute(text("insert into orders (item) values (:item)"), {"item": request.form["item"]})
    session.commit()
    return "ordered"
```

## Use instead

```python
from flask import Flask, request
from sqlalchemy import create_engine, text
from sqlalchemy.orm import sessionmaker

app = Flask(__name__)
Session = sessionmaker(create_engine("postgresql:///shop"))


@app.post("/orders")
def order() -> str:
    with Session() as session:
        session.execute(text("insert into orders (item) values (:item)"), {"item": request.form["item"]})
        session.commit()
    return "ordered"
```

## When it is silent

- Engines, pools and session factories: they are made for sharing.
- `scoped_session` and what frameworks hand out for each request.
- The session is made for the request, also by a dependency or a context manager.
- Only start-up code and commands use it.

## Fix

Suggested: each handler opens a session of its own by the factory that is there, with `with`, or asks for it where the
program has a dependency that gives one; functions that it calls get it as an argument. Not safe, because what a handler
does not commit itself is lost with its session. Refused, with the place, where nothing commits what a handler writes,
where rows leave the function with the session closed behind them, and where code uses the session that no request is
seen to call; for connections and cursors, which have no factory, and for attributes of objects.

## What is not found

Sessions that code which cannot be followed makes or keeps, and drivers that no model names.

## References

CWE-488 (exposure of data element to wrong session), CWE-567 (unsynchronized access to shared data),
CWE-362 (race condition).
"""

from __future__ import annotations

from collections.abc import Iterator

from leaklint import words
from leaklint.codemods.session_per_request import open_for_each_request
from leaklint.finding import Family, Fix, Safety, Severity
from leaklint.project.suspect import SharedUseSuspect, Single, Suspect
from leaklint.rule import Rule, Sources, Verdict

_DATABASE = (Single.SESSION, Single.CONNECTION, Single.CURSOR)


class SharedDatabaseSession(Rule):
    """Judges database sessions, connections and cursors that all requests use."""

    family = Family.SHARED_STATE
    severity = Severity.LEAK
    fix = Safety.SUGGESTED
    cwe = (488, 567, 362)
    watches = (SharedUseSuspect,)

    def wants(self, suspect: Suspect) -> bool:
        return isinstance(suspect, SharedUseSuspect) and suspect.single in _DATABASE

    def judge(self, suspect: Suspect) -> Iterator[Verdict]:
        assert isinstance(suspect, SharedUseSuspect)
        users = sorted({words.short(use.function) for use in suspect.uses})
        yield Verdict(
            f"`{suspect.name}` is one {suspect.single.value} for all requests, used by {words.listed(users)}",
            help=f"open a {suspect.single.value} for each request, and close it with the request",
            severity=Severity.RACE if suspect.single is Single.CONNECTION else None,
            codemods=(lambda sources: _opened(sources, suspect),) if suspect.single is Single.SESSION else (),
        )


def _opened(sources: Sources, suspect: SharedUseSuspect) -> Fix:
    kind = sources.models.type(suspect.kind)
    assert kind is not None  # a model says that it is a session
    return open_for_each_request(suspect, sources.open, kind)
