"""Request data is stored in an attribute of a class, which all its instances share.

## What it does

Reports request code that stores data of the request in a class: `Cart.user = user`, `cls.user = user`,
`type(self).user = user`, and changes through an instance to a mutable class attribute that `__init__` does not shadow
(`self.items.append(item)` where the class body says `items = []`).

## Why it leaks

`items = []` in a class body makes one list for all instances, also for those made freshly for each request:

```
request A                         request B
cart = Cart()
cart.items.append(alice's)
                                  cart = Cart()
                                  return cart.items     ← alice's
```

## Example

```python
from fastapi import FastAPI

app = FastAPI()


class Cart:
    items: list[str] = []

    def add(self, item: str) -> list[str]:
        self.items.append(item)
        return self.items


@app.post("/cart")
async def add(item: str) -> list[str]:
    return Cart().add(item)
```

## Use instead

```python
from fastapi import FastAPI

app = FastAPI()


class Cart:
    items: list[str]

    def __init__(self) -> None:
        self.items = []

    def add(self, item: str) -> list[str]:
        self.items.append(item)
        return self.items


@app.post("/cart")
async def add(item: str) -> list[str]:
    return Cart().add(item)
```

## When it is silent

- `__init__` gives each instance a value of its own.
- Registries filled at import: by decorators, metaclasses, `__init_subclass__`.
- Fields that a library turns into attributes of the instance: models, dataclasses, forms, columns, settings.
- What is stored does not come from a request: counters, lazily made singletons.
- All that is stored was left by requests elsewhere before, and a request that stores it need not be one of these (low
  confidence): where they left it is told.
- Keyed by the request's own identity.

## Fix

A mutable class attribute moves to `__init__`, which is made where there is none; a field of a data class becomes a
`default_factory`. Safe, but only suggested where a new `__init__` would stand above a base class. What is stored in the
class on purpose (`Cart.user = user`) is left to you: keep it in a variable of the request.

## What is not found

Attributes set under computed names, and classes made at run time by `type(...)`.

## References

CWE-488 (exposure of data element to wrong session), CWE-567 (unsynchronized access to shared data).
"""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from leaklint import words
from leaklint.codemods.move_to_init import move_to_init
from leaklint.finding import Family, Fix, Safety, Severity
from leaklint.project.suspect import Kept, Suspect, WriteSuspect
from leaklint.rule import Rule, Sources, Verdict
from leaklint.syntax import NotAnalysed


class ClassAttributeWrite(Rule):
    """Judges writes to attributes of classes."""

    family = Family.SHARED_STATE
    severity = Severity.LEAK
    fix = Safety.SAFE
    cwe = (488, 567)
    watches = (WriteSuspect,)

    def wants(self, suspect: Suspect) -> bool:
        assert isinstance(suspect, WriteSuspect)
        return suspect.place.kept is Kept.CLASS

    def judge(self, suspect: Suspect) -> Iterator[Verdict]:
        assert isinstance(suspect, WriteSuspect)
        owner = words.short(suspect.place.owner)
        yield Verdict(
            f"`{owner}.{suspect.place.slot}` is one for all instances and keeps {words.value(suspect)} of a request"
            f"{words.afterwards(suspect)}",
            help=_help(suspect),
            codemods=(lambda sources: _own(sources, suspect),) if suspect.place.path else (),
        )


def _help(suspect: WriteSuspect) -> str:
    if suspect.place.path:
        return f"create `{suspect.place.slot}` in `__init__`, so that each instance has its own"
    return f"keep it in a variable of the request and pass it on{words.homes(suspect)}"


def _own(sources: Sources, suspect: WriteSuspect) -> Fix:
    place, name = suspect.place, suspect.place.owner.rpartition(".")[2]
    if place.created is None:
        raise NotAnalysed(f"it is not known where `{name}.{place.slot}` is made")
    syntax = sources.open(place.created.path)
    for node in syntax.walk(syntax.module, cst.ClassDef):
        if node.name.value == name:
            span = syntax.span(node)
            if span.line <= place.created.line <= span.end_line:
                return move_to_init(syntax, node, place.slot, sources.open)
    raise NotAnalysed(f"`{place.slot}` is not made in the class `{name}`")
