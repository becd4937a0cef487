"""Request data is stored in an attribute of an object that every request shares.

## What it does

Reports an attribute of a shared object, or an item under a constant key in such an attribute, that request code
fills with data of the request: `self.user = user`, `self.holder["callback"] = callback`, `app.state.user = user`,
`setattr(agent, "user", user)`. One finding tells about one attribute: all its writers, resets and readers belong to it.

## Why it leaks

The object is made once and serves all requests. While one request waits, another one overwrites the attribute, and
the first goes on with the other's data:

```
request A                         request B
self.user = alice
await load()
                                  self.user = bob
return self.user      ← bob's
```

A lock around the write does not help: the data stays where the next request finds it. Nor does a reset in `finally`,
as it takes away what another request is using.

## Example

```python
from fastapi import FastAPI

app = FastAPI()


class Greeter:
    def __init__(self) -> None:
        self.user = ""

    async def greet(self, user: str) -> str:
        self.user = user
        await load()
        return f"Hello {self.user}"


async def load() -> None: ...


greeter = Greeter()


@app.get("/greet")
async def greet(user: str) -> str:
    return await greeter.greet(user)
```

## Use instead

```python
from fastapi import FastAPI

app = FastAPI()


class Greeter:
    def __init__(self) -> None:
        pass

    async def greet(self, user: str) -> str:
        await load()
        return f"Hello {user}"


async def load() -> None: ...


greeter = Greeter()


@app.get("/greet")
async def greet(user: str) -> str:
    return await greeter.greet(user)
```

## When it is silent

- What is stored does not come from a request: lazily made clients, compiled graphs, counters, clocks, settings.
- The object is made for the request, or is kept under the id of its session.
- The object is written before any request: in `__init__`, at start-up.
- The holder isolates by itself: `ContextVar`, `request.state`, `flask.g`.
- A coroutine that serves a request sets what is no id of anybody and hands it on before it waits, and no other code
  reads it.
- All that is stored was left by requests elsewhere before, and a request that stores it need not be one of these (low
  confidence): a memo, an index, a copy. Where they left it is told.
- The object is entered by `with` around every write, and takes a lock of its own then (low confidence): state that all
  are meant to share.

## Fix

The attribute becomes a variable of the request; methods that read it get it as an argument. Safe where a single user
sees no difference, suggested where another method may read what an earlier call left behind, or where a function that
is no method of the class sets and reads it. What a method leaves in an attribute for its callers becomes what it
returns: suggested. An attribute of the application's state that only the same request reads moves to the request's own
state: suggested. Where calls do read what earlier ones left, it becomes one value for each session, in a component of
the page (`gr.State`) where all who use it are listeners with inputs and outputs that are written out, in what the
framework keeps for each session (`st.session_state`) where only its requests use it, and else under the session's id:
suggested, because only you know that it is a session's. Where one function sets it and others, also of other modules,
read it, these are handed it as an argument: suggested, because code that leaklint does not see may call them. The fix
is refused, and says where, when a use of the attribute cannot be followed, or has no id of the session at hand.

## What is not found

Attributes set under names that a request brings (`setattr(obj, name, value)`): which one is meant, and whether anybody
reads it, is not known, and this is how administrators change settings. Also objects whose class cannot be followed.

## References

CWE-488 (exposure of data element to wrong session), CWE-567 (unsynchronized access to shared data).
"""

from __future__ import annotations

from collections.abc import Iterator

from leaklint import words
from leaklint.codemods import first
from leaklint.codemods.attribute_local import keep_in_one_function
from leaklint.codemods.hand_down import hand_it_down
from leaklint.codemods.per_session import keep_one_a_session
from leaklint.codemods.request_local import keep_in_request
from leaklint.codemods.request_state import keep_on_request
from leaklint.codemods.return_value import return_it
from leaklint.codemods.session_component import keep_in_component
from leaklint.codemods.session_items import keep_in_session
from leaklint.finding import Family, Fix, Safety, Severity
from leaklint.project.suspect import Kept, Suspect, WriteSuspect
from leaklint.rule import Rule, Sources, Verdict


class SharedAttributeWrite(Rule):
    """Judges writes to attributes of shared objects."""

    family = Family.SHARED_STATE
    severity = Severity.LEAK
    fix = Safety.SAFE
    cwe = (488, 567)
    watches = (WriteSuspect,)

    def wants(self, suspect: Suspect) -> bool:
        assert isinstance(suspect, WriteSuspect)
        return suspect.place.kept is Kept.ATTRIBUTE

    def judge(self, suspect: Suspect) -> Iterator[Verdict]:
        assert isinstance(suspect, WriteSuspect)
        owner = words.short(suspect.place.owner)
        yield Verdict(
            f"`{words.slot(suspect)}` keeps {words.value(suspect)} of one request on the shared `{owner}`"
            f"{words.afterwards(suspect)}",
            help=f"keep it in a variable of the request and pass it on{words.homes(suspect)}",
            codemods=(lambda sources: _kept(sources, suspect),),
        )


def _kept(sources: Sources, suspect: WriteSuspect) -> Fix:
    """For the request where that is all who reads it, else for the session."""
    return first(
        lambda: keep_in_request(suspect.place, suspect.uses, sources.open),
        lambda: return_it(suspect.place, suspect.uses, sources.open),
        lambda: keep_in_one_function(suspect.place, suspect.uses, sources.open),
        lambda: hand_it_down(suspect, sources.open),
        *((lambda: keep_on_request(suspect, sources.open, sources.models),) if suspect.place.library else ()),
        lambda: keep_in_component(suspect, sources.open),
        lambda: keep_in_session(suspect, sources.open),
        lambda: keep_one_a_session(suspect, sources.open, sources.is_session),
    )
