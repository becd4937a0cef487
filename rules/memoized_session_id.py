"""An id, or an object made for one session, is kept and given to all later requests.

## What it does

Reports ids that are cached by `lru_cache` and its like, set once in a lazily filled attribute of a shared object, or
held by an object that a factory makes for its first caller and returns to all others, whatever id they ask for.

## Why it leaks

The first request decides for all:

```
request A         get_assistant("a")     makes the assistant of session "a"
request B         get_assistant("b")     gets the assistant of session "a"
```

## Example

```python
from fastapi import FastAPI

app = FastAPI()


class Assistant:
    def __init__(self, session_id: str) -> None:
        self.session_id = session_id

    def answer(self, text: str) -> str:
        return f"{self.session_id}: {text}"


_assistant: Assistant | None = None


def get_assistant(session_id: str) -> Assistant:
    global _assistant
    if _assistant is None:
        _assistant = Assistant(session_id)
    return _assistant


@app.post("/chat/{session_id}")
async def chat(session_id: str, text: str) -> str:
    return get_assistant(session_id).answer(text)
```

## Use instead

```python
from fastapi import FastAPI

app = FastAPI()


class Assistant:
    def __init__(self, session_id: str) -> None:
        self.session_id = session_id

    def answer(self, text: str) -> str:
        return f"{self.session_id}: {text}"


_assistants: dict[str, Assistant] = {}


def get_assistant(session_id: str) -> Assistant:
    if session_id not in _assistants:
        _assistants[session_id] = Assistant(session_id)
    return _assistants[session_id]


@app.post("/chat/{session_id}")
async def chat(session_id: str, text: str) -> str:
    return get_assistant(session_id).answer(text)


@app.delete("/chat/{session_id}")
async def forget(session_id: str) -> None:
    _assistants.pop(session_id, None)
```

## When it is silent

The cache is keyed by the id; the lazily made object carries nothing of a session (models, clients, graphs); the
attribute belongs to an object that is made for each request or session.

## Fix

Suggested: keep one object for each id; a decorator that remembers an id is taken away. Refused for a lazily set
attribute where no id of the session is in scope: the object has to be told whose id it keeps, and its callers know.

## What is not found

Caches of libraries that are not modelled.

## References

CWE-488 (exposure of data element to wrong session), CWE-344.
"""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from leaklint.codemods import identity
from leaklint.codemods.keyed import keep_one_for_each
from leaklint.finding import Family, Fix, Safety, Severity
from leaklint.project.suspect import IdOrigin, IdSuspect, Suspect
from leaklint.rule import Codemod, Rule, Sources, Verdict


class MemoizedSessionId(Rule):
    """Judges ids that are made once and kept."""

    family = Family.SESSION_IDENTITY
    severity = Severity.LEAK
    fix = Safety.SUGGESTED
    cwe = (488, 344)
    watches = (IdSuspect,)

    def wants(self, suspect: Suspect) -> bool:
        assert isinstance(suspect, IdSuspect)
        return suspect.origin is IdOrigin.MEMOIZED

    def judge(self, suspect: Suspect) -> Iterator[Verdict]:
        assert isinstance(suspect, IdSuspect)
        yield Verdict(
            f"`{suspect.name}` keeps what the first request made for all later ones",
            help="keep one for each session id",
            codemods=_codemods(suspect),
        )


def _codemods(suspect: IdSuspect) -> tuple[Codemod, ...]:
    if suspect.form == "decorator":
        return (lambda sources: _forget(sources, suspect),)
    return (lambda sources: _keyed(sources, suspect),)


def _keyed(sources: Sources, suspect: IdSuspect) -> Fix:
    syntax = sources.open(suspect.value_span.path)
    if not suspect.available:
        where = syntax.site(syntax.node_at(suspect.value_span))
        return Fix("Keep one for each session", Safety.SUGGESTED, refused=f"no id of the session is in scope: {where}")
    value = syntax.node_at(suspect.value_span)
    assert isinstance(value, cst.BaseExpression)
    return keep_one_for_each(syntax, value, suspect.available, sources.open)


def _forget(sources: Sources, suspect: IdSuspect) -> Fix:
    syntax = sources.open(suspect.span.path)
    decorator = syntax.enclosing(syntax.node_at(suspect.span), cst.Decorator)
    assert isinstance(decorator, cst.Decorator)
    return identity.forget(syntax, decorator, sources.open)
