"""Request data is stored in a module-level name.

## What it does

Reports request code that binds a module-level name to data of the request, by `global name` or by `module.name = ...`
from elsewhere.

## Why it leaks

A module has its names once, for all requests. The next request overwrites the value while the first still needs it,
or finds what the first left behind:

```
request A                         request B
language = "fr"
await load()
                                  language = "de"
greet(language)       ← de
```

## Example

```python
from fastapi import FastAPI

app = FastAPI()
language = "en"


@app.get("/greet")
async def greet(code: str) -> str:
    global language
    language = code
    await load()
    return hello()


async def load() -> None: ...


def hello() -> str:
    return {"de": "Hallo", "fr": "Salut"}.get(language, "Hello")
```

## Use instead

```python
from fastapi import FastAPI

app = FastAPI()


@app.get("/greet")
async def greet(code: str) -> str:
    await load()
    return hello(code)


async def load() -> None: ...


def hello(language: str) -> str:
    return {"de": "Hallo", "fr": "Salut"}.get(language, "Hello")
```

## When it is silent

- What is bound does not come from a request: lazily made singletons, flags, counters, clocks, settings. A clock is told
  when it is the mark from which a job goes on for all, and a request for one moves it.
- Public data that is built anew and bound as a whole.
- All that is stored was left by requests elsewhere before, and a request that stores it need not be one of these (low
  confidence): where they left it is told.
- The name is bound at import or start-up.

## Fix

Suggested: where one function alone uses the name, and sets it first, it becomes a variable of the function; else it
becomes a `ContextVar` with its first value as the default; stores set it, all readers get it, and a handler that runs
in a thread sets it back when it is done. Where one function sets it and calls all who read it, these may be handed it
as an argument instead, and where the framework has a place of its own for each request or session (`flask.g`,
`cl.user_session`), it may be kept there. Where another request uses the value, it becomes one value for each session:
in a component of the page (`gr.State`) where all who use it are listeners with inputs and outputs that are written out,
else under the session's id. Refused, with the place, where no id of the session is at hand or can be handed down, where
start-up code uses the value, and where other modules import the name itself.

## What is not found

Names computed at run time (`globals()[name]`), and settings of a library's module, which belong to the process too.

## References

CWE-488 (exposure of data element to wrong session), CWE-567 (unsynchronized access to shared data).
"""

from __future__ import annotations

from collections.abc import Iterator

from leaklint import words
from leaklint.codemods import first
from leaklint.codemods.hand_down import hand_it_down
from leaklint.codemods.in_home import keep_in_home
from leaklint.codemods.name_to_contextvar import to_contextvar
from leaklint.codemods.own_variable import keep_in_function
from leaklint.codemods.per_session import keep_one_a_session
from leaklint.codemods.session_component import keep_in_component
from leaklint.codemods.session_items import keep_in_session
from leaklint.finding import Family, Fix, Safety, Severity
from leaklint.project.suspect import Kept, Suspect, WriteSuspect
from leaklint.rule import Rule, Sources, Verdict


class GlobalRebind(Rule):
    """Judges bindings of module-level names."""

    family = Family.SHARED_STATE
    severity = Severity.LEAK
    fix = Safety.SUGGESTED
    cwe = (488, 567)
    watches = (WriteSuspect,)

    def wants(self, suspect: Suspect) -> bool:
        assert isinstance(suspect, WriteSuspect)
        return suspect.place.kept is Kept.NAME

    def judge(self, suspect: Suspect) -> Iterator[Verdict]:
        assert isinstance(suspect, WriteSuspect)
        yield Verdict(
            f"the module-level name `{suspect.place.slot}` keeps {words.value(suspect)} of one request"
            f"{words.afterwards(suspect)}",
            help=f"pass it on as an argument, or set a `ContextVar`{words.home(suspect, 'session')}",
            codemods=(lambda sources: _kept(sources, suspect),),
        )


def _kept(sources: Sources, suspect: WriteSuspect) -> Fix:
    """For the call, for the request, or for the session: the shortest of them that keeps what is read."""
    return first(
        lambda: keep_in_function(suspect, sources.open),
        lambda: to_contextvar(suspect, sources.open),
        lambda: hand_it_down(suspect, sources.open),
        lambda: keep_in_home(suspect, sources.open),
        lambda: keep_in_component(suspect, sources.open),
        lambda: keep_in_session(suspect, sources.open),
        lambda: keep_one_a_session(suspect, sources.open, sources.is_session),
    )
