"""Request data is stored in an attribute of an object that every request shares.

## What it does

Reports an attribute of a shared object, or an item under a constant key in such an attribute, that request code
fills with data of the request. One finding tells about one attribute: all writers, resets and readers belong to it.

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
        request_user = user
        await load()
        return f"Hello {request_user}"


async def load() -> None: ...


greeter = Greeter()


@app.get("/greet")
async def greet(user: str) -> str:
    return await greeter.greet(user)
```

## When it is silent

What is stored does not come from the request (lazy clients, compiled graphs, counters, clocks, configuration); the
object is made for this request or kept under its session's id; the attribute holds a registry whose entries are
taken out again.

## Fix

Suggested: the attribute becomes a variable of the request, passed to the callees that read it. The fix is refused when
a use of the attribute is not covered, and it changes what code outside of the project sees of the object.

## What is not found

Attributes set through computed names (`setattr(obj, name, value)`) and objects whose class leaklint cannot follow.

## References

CWE-488 (exposure of data element to wrong session), CWE-567.
"""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from leaklint.finding import Family, Safety, Severity
from leaklint.project.suspect import PlaceKind, Suspect, WriteSuspect
from leaklint.rule import Rule, Verdict


class SharedAttributeWrite(Rule):
    """Judges writes to attributes of shared objects."""

    family = Family.SHARED_STATE
    severity = Severity.LEAK
    fix = Safety.SUGGESTED
    cwe = (488, 567)
    watches = (WriteSuspect,)

    def wants(self, suspect: Suspect) -> bool:
        assert isinstance(suspect, WriteSuspect)
        return suspect.place.kind is PlaceKind.INSTANCE and suspect.place.path[-1:] != ("[*]",)

    def judge(self, suspect: Suspect, node: cst.CSTNode) -> Iterator[Verdict]:
        assert isinstance(suspect, WriteSuspect)
        owner = suspect.place.owner.rpartition(".")[2]
        yield Verdict(
            f"`{suspect.place.text}` keeps data of one request on `{owner}`, which all requests share",
            help="keep it in a variable of the request and pass it on",
        )
