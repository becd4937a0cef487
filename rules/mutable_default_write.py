"""The mutable default of a parameter collects request data, for all calls of the function.

## What it does

Reports a default such as `[]`, `{}` or `set()` that request code changes with data of the request: in the function
itself, in one that it hands the default on to, or in one that it returns the default to.

## Why it leaks

A default is made once, when the function is defined. Every call that does not pass the argument gets the same object:

```
request A                         request B
collect(alice's)
  lines.append(alice's)
                                  collect(bob's)
                                    return lines        ← alice's too
```

## Example

```python
from flask import Flask, request

app = Flask(__name__)


def collect(text: str, lines: list[str] = []) -> list[str]:
    lines.append(text)
    return lines


@app.post("/say")
def say() -> str:
    return " ".join(collect(request.form["text"]))
```

## Use instead

```python
from flask import Flask, request

app = Flask(__name__)


def collect(text: str, lines: list[str] | None = None) -> list[str]:
    if lines is None:
        lines = []
    lines.append(text)
    return lines


@app.post("/say")
def say() -> str:
    return " ".join(collect(request.form["text"]))
```

## When it is silent

- The default is never changed, or only with what does not come from a request: tables and caches of computed values.
- What is kept goes under the request's own identity, as in `seen[session_id] = ...`.
- The function is defined for each request anew.
- All callers in request code pass an object of their own.

## Fix

The default becomes `None`, and the function makes the object when it is called. Safe: only what one call left behind
for the next is lost, and that is the leak.

## What is not found

Defaults changed in code that cannot be followed: library functions that fill what they are given.

## References

CWE-488 (exposure of data element to wrong session), CWE-567 (unsynchronized access to shared data).
"""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from leaklint import words
from leaklint.codemods.identity import generate_inside
from leaklint.finding import Family, Fix, Safety, Severity
from leaklint.project.suspect import Kept, Suspect, WriteSuspect
from leaklint.rule import Rule, Sources, Verdict


class MutableDefaultWrite(Rule):
    """Judges writes to defaults of parameters."""

    family = Family.SHARED_STATE
    severity = Severity.LEAK
    fix = Safety.SAFE
    cwe = (488, 567)
    watches = (WriteSuspect,)

    def wants(self, suspect: Suspect) -> bool:
        assert isinstance(suspect, WriteSuspect)
        return suspect.place.kept is Kept.DEFAULT

    def judge(self, suspect: Suspect) -> Iterator[Verdict]:
        assert isinstance(suspect, WriteSuspect)
        function, name = words.short(suspect.place.owner), suspect.place.slot
        yield Verdict(
            f"the default of `{name}` is one object for all calls of `{function}` and keeps {words.value(suspect)}"
            f" of a request{words.afterwards(suspect)}",
            help=f"make `None` the default of `{name}`, and create the object inside of the function",
            codemods=(lambda sources: _made_inside(sources, suspect),),
        )


def _made_inside(sources: Sources, suspect: WriteSuspect) -> Fix:
    default = suspect.place.created
    assert default is not None
    syntax = sources.open(default.path)
    parameter = syntax.enclosing(syntax.node_at(default), cst.Param)
    assert parameter is not None
    return generate_inside(syntax, parameter)
