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
from fastapi import FastAPI

app = FastAPI()
history: list[str] = []


@app.post("/ask/{session_id}")
async def ask(session_id: str, question: str) -> str:
    history.append(question)
    return answer(session_id)


def answer(session_id: str) -> str:
    return f"{session_id}: {len(history)} questions, the last one: {history[-1]}"
```

## Use instead

```python
from fastapi import FastAPI

app = FastAPI()
history: dict[str, list[str]] = {}


@app.post("/ask/{session_id}")
async def ask(session_id: str, question: str) -> str:
    if session_id not in history and len(history) >= 1000:
        del history[next(iter(history))]
    history.setdefault(session_id, []).append(question)
    return answer(session_id)


def answer(session_id: str) -> str:
    return f"{session_id}: {len(history.get(session_id, []))} questions, last: {history.get(session_id, [])[-1]}"
```

## When it is silent

- The key is the request's own identity: a session's, user's or connection's id.
- A cache is keyed by the content that its values depend on.
- Entries are taken out again one by one: registries of connections, jobs, subscriptions.
- Queues hand things over; counters and metrics hold no request data.
- All that is stored was left by requests elsewhere before, and a request that stores it need not be one of these (low
  confidence): where they left it is told.
- The collection is filled at import or start-up.

## Fix

Suggested: where every call empties the collection itself, it becomes a variable of the call. Else, where listeners of
one page use it whose inputs and outputs are written out, a component of the page keeps one for each session
(`gr.State`); where only requests of a framework with a place for each session use it (`st.session_state`), it is kept
there, made anew where it is missing. Else it becomes a dict with one collection for each session, at most a thousand;
take a session's entry out where it ends, if you know where. The session's id is a parameter, or what the framework's
request says; functions that have neither get it from all their callers. Refused, with the place, where no id is at
hand: which one keeps the sessions apart is for you to say.

## What is not found

Collections behind a library's own storage, and containers that a computed name leads to.

## References

CWE-488 (exposure of data element to wrong session), CWE-567 (unsynchronized access to shared data).
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from leaklint import words
from leaklint.codemods import first
from leaklint.codemods.own_variable import keep_in_function
from leaklint.codemods.per_session import keep_one_a_session
from leaklint.codemods.request_local import keep_in_request
from leaklint.codemods.session_component import keep_in_component
from leaklint.codemods.session_items import keep_in_session
from leaklint.finding import Family, Fix, Safety, Severity
from leaklint.project.suspect import Kept, PlaceKind, Suspect, WriteSuspect
from leaklint.rule import Rule, Sources, Verdict


class SharedContainerWrite(Rule):
    """Judges writes to items of shared collections."""

    family = Family.SHARED_STATE
    severity = Severity.LEAK
    fix = Safety.SUGGESTED
    cwe = (488, 567)
    watches = (WriteSuspect,)

    def wants(self, suspect: Suspect) -> bool:
        assert isinstance(suspect, WriteSuspect)
        return suspect.place.kept is Kept.ITEM

    def judge(self, suspect: Suspect) -> Iterator[Verdict]:
        assert isinstance(suspect, WriteSuspect)
        yield Verdict(
            f"`{words.slot(suspect)}` keeps {words.value(suspect)} of every request {_where(suspect)}"
            f"{words.afterwards(suspect)}",
            help=f"keep one for each session, under the session's id{words.home(suspect, 'session')}",
            codemods=(lambda sources: _own(sources, suspect),),
        )


def _own(sources: Sources, suspect: WriteSuspect) -> Fix:
    """One for the call where every call leaves it empty, else one for each session."""
    return first(
        lambda: _in_call(sources, suspect),
        lambda: keep_in_component(suspect, sources.open),
        lambda: keep_in_session(suspect, sources.open),
        lambda: keep_one_a_session(suspect, sources.open, sources.is_session),
    )


def _in_call(sources: Sources, suspect: WriteSuspect) -> Fix:
    if suspect.place.kind is PlaceKind.GLOBAL:
        return keep_in_function(suspect, sources.open)
    return replace(keep_in_request(suspect.place, suspect.uses, sources.open), safety=Safety.SUGGESTED)


def _where(suspect: WriteSuspect) -> str:
    if suspect.place.kind is PlaceKind.GLOBAL:
        return "in one place for the whole process"
    return f"on the shared `{words.short(suspect.place.owner)}`"
