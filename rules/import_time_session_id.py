"""An id is generated once, when the program starts, and used for every request.

## What it does

Reports an id that is generated at module level, in a class body, as the default of a parameter or as the default of
a data class's field, and that request code uses as session, conversation, user or tenant id.

## Why it leaks

The generator runs once for the process. The id looks unique and is the same for everybody:

```
start             SESSION_ID = uuid4()
request A         keeps its messages under SESSION_ID
request B         reads the messages under SESSION_ID     ← A's
```

## Example

```python
import uuid

from fastapi import FastAPI

app = FastAPI()
histories: dict[str, list[str]] = {}


def remember(text: str, session_id: str = str(uuid.uuid4())) -> str:
    histories.setdefault(session_id, []).append(text)
    return session_id


@app.post("/chat")
async def chat(text: str) -> str:
    return remember(text)


@app.delete("/chat/{session_id}")
async def forget(session_id: str) -> None:
    histories.pop(session_id, None)
```

## Use instead

```python
import uuid

from fastapi import FastAPI

app = FastAPI()
histories: dict[str, list[str]] = {}


def remember(text: str, session_id: str | None = None) -> str:
    if session_id is None:
        session_id = str(uuid.uuid4())
    histories.setdefault(session_id, []).append(text)
    return session_id


@app.post("/chat")
async def chat(text: str) -> str:
    return remember(text)


@app.delete("/chat/{session_id}")
async def forget(session_id: str) -> None:
    histories.pop(session_id, None)
```

## When it is silent

The name says that it identifies a process, an instance, a worker or a host; the id is only logged or put in a
header of the answer; each object gets its own by `default_factory`.

## Fix

Safe: a `default_factory`, or the default `None` and the id generated inside of the function. Suggested where a
module-level name holds the id: it is made at each place that uses it, and only you know whether two of them must agree.

## What is not found

Ids that a start-up script puts into the environment or a file.

## References

CWE-344 (use of invariant value in dynamically changing context), CWE-1188, CWE-488.
"""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from leaklint.codemods import identity
from leaklint.finding import Family, Fix, Safety, Severity
from leaklint.project.suspect import IdOrigin, IdSuspect, Suspect
from leaklint.rule import Rule, Sources, Verdict


class ImportTimeSessionId(Rule):
    """Judges ids that are generated once and used by all requests."""

    family = Family.SESSION_IDENTITY
    severity = Severity.LEAK
    fix = Safety.SAFE
    cwe = (344, 1188, 488)
    watches = (IdSuspect,)

    def wants(self, suspect: Suspect) -> bool:
        assert isinstance(suspect, IdSuspect)
        return suspect.origin is IdOrigin.IMPORT_TIME

    def judge(self, suspect: Suspect) -> Iterator[Verdict]:
        assert isinstance(suspect, IdSuspect)
        yield Verdict(
            f"`{suspect.name}` is generated once and the same for every request",
            help="generate it for each session",
            codemods=(lambda sources: _generate(sources, suspect),),
        )


def _generate(sources: Sources, suspect: IdSuspect) -> Fix:
    syntax = sources.open(suspect.value_span.path)
    node = syntax.node_at(suspect.value_span)
    match suspect.form:
        case "default" | "dataclass-field" if suspect.factory:
            return identity.fresh_default(syntax, node, suspect.factory, suspect.field, safety=Safety.SAFE)
        case "default":
            return identity.generate_inside(syntax, node)
        case "module" if isinstance(
            holder := syntax.enclosing(node, (cst.Assign, cst.AnnAssign)), cst.Assign | cst.AnnAssign
        ):
            return identity.generate_at_use(syntax, holder, sources.open)
        case _:
            return Fix(
                "Generate it for each session", Safety.SUGGESTED, refused="it belongs to an object that all share"
            )
