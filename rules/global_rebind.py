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


@app.post("/language")
async def choose(code: str) -> None:
    global language
    language = code


@app.get("/greet")
async def greet() -> str:
    return {"de": "Hallo", "fr": "Salut"}.get(language, "Hello")
```

## Use instead

```python
from fastapi import FastAPI, Request

app = FastAPI()


@app.post("/language")
async def choose(code: str, request: Request) -> None:
    request.session["language"] = code


@app.get("/greet")
async def greet(request: Request) -> str:
    return {"de": "Hallo", "fr": "Salut"}.get(request.session.get("language"), "Hello")
```

## When it is silent

- What is bound does not come from a request: lazily made singletons, flags, counters, clocks, settings.
- Public data that is built anew and bound as a whole.
- The name is bound at import or start-up.

## Fix

None is made for you yet: pass the value on as an argument, or set a `ContextVar` where that cannot be done.

## What is not found

Names bound through `globals()[...]`, and settings of a library's module, which belong to the process too.

## References

CWE-488 (exposure of data element to wrong session), CWE-567 (unsynchronized access to shared data).
"""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from leaklint import words
from leaklint.finding import Family, Severity
from leaklint.project.suspect import Kept, Suspect, WriteSuspect
from leaklint.rule import Rule, Verdict


class GlobalRebind(Rule):
    """Judges bindings of module-level names."""

    family = Family.SHARED_STATE
    severity = Severity.LEAK
    cwe = (488, 567)
    watches = (WriteSuspect,)

    def wants(self, suspect: Suspect) -> bool:
        assert isinstance(suspect, WriteSuspect)
        return suspect.place.kept is Kept.NAME

    def judge(self, suspect: Suspect, node: cst.CSTNode) -> Iterator[Verdict]:
        assert isinstance(suspect, WriteSuspect)
        yield Verdict(
            f"the module-level name `{suspect.place.slot}` keeps {words.value(suspect)} of one request"
            f"{words.afterwards(suspect)}",
            help=f"pass it on as an argument, or set a `ContextVar`{words.home(suspect, 'session')}",
        )
