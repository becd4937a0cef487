"""Request data is collected in a list, dict or set that every request shares.

## What it does

Reports `append`, `add`, `update`, `setdefault`, `items[key] = ...` and their like on a shared collection (at module
level, or in an attribute of a shared object) when what goes in comes from the request and no key keeps sessions apart.
A slot under a constant key of a module-level dict (`current["user"] = user`) counts too.

## Why it leaks

There is one collection, and all requests put their data into it. Whoever reads it gets everybody's:

```
request A                         request B
history.append(alice's)
                                  history.append(bob's)
                                  return history        ← alice's too
```

## Example

```python
from flask import Flask, request

app = Flask(__name__)
history: list[str] = []


@app.post("/ask")
def ask() -> str:
    history.append(request.form["question"])
    return answer(history)


def answer(questions: list[str]) -> str:
    return f"{len(questions)} questions, the last one: {questions[-1]}"
```

## Use instead

```python
from flask import Flask, request, session

app = Flask(__name__)
histories: dict[str, list[str]] = {}


@app.post("/ask")
def ask() -> str:
    history = histories.setdefault(session["session_id"], [])
    history.append(request.form["question"])
    return answer(history)


@app.post("/leave")
def leave() -> str:
    histories.pop(session["session_id"], None)
    return "bye"


def answer(questions: list[str]) -> str:
    return f"{len(questions)} questions, the last one: {questions[-1]}"
```

## When it is silent

- The key is the request's own identity: a session's, user's or connection's id.
- A cache is keyed by the content that its values depend on.
- Entries are taken out again one by one: registries of connections, jobs, subscriptions.
- Queues hand things over; counters and metrics hold no request data.
- The collection is filled at import or start-up.

## Fix

None is made for you yet: which id keeps the sessions apart is for you to say.

## What is not found

Collections behind a library's own storage, and containers that a computed name leads to.

## References

CWE-488 (exposure of data element to wrong session), CWE-567 (unsynchronized access to shared data).
"""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from leaklint import words
from leaklint.finding import Family, Severity
from leaklint.project.suspect import Kept, PlaceKind, Suspect, WriteSuspect
from leaklint.rule import Rule, Verdict


class SharedContainerWrite(Rule):
    """Judges writes to items of shared collections."""

    family = Family.SHARED_STATE
    severity = Severity.LEAK
    cwe = (488, 567)
    watches = (WriteSuspect,)

    def wants(self, suspect: Suspect) -> bool:
        assert isinstance(suspect, WriteSuspect)
        return suspect.place.kept is Kept.ITEM

    def judge(self, suspect: Suspect, node: cst.CSTNode) -> Iterator[Verdict]:
        assert isinstance(suspect, WriteSuspect)
        yield Verdict(
            f"`{words.slot(suspect)}` keeps {words.value(suspect)} of every request {_where(suspect)}"
            f"{words.afterwards(suspect)}",
            help=f"keep one for each session, under the session's id{words.home(suspect, 'session')}",
        )


def _where(suspect: WriteSuspect) -> str:
    if suspect.place.kind is PlaceKind.GLOBAL:
        return "in one place for the whole process"
    return f"on the shared `{words.short(suspect.place.owner)}`"
