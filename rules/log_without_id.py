"""Request code that has an id in scope writes a log line without it; off unless it is selected by its name.

## What it does

Reports the first call of a logger in a function that was given a `request_id`, `trace_id`, `session_id` or another
configured id and does not put it into the line.

## Why it leaks

Nothing leaks, but when something does, these lines cannot be joined with the request they belong to:

```
request A         log.info("session opened")
request B         log.info("session opened")
log               session opened / session opened     whose?
```

## Example

```python
import logging

from fastapi import FastAPI

app = FastAPI()
log = logging.getLogger(__name__)


@app.post("/sessions")
async def start(name: str, request_id: str) -> dict[str, str]:
    log.info("session opened")
    return {"name": name, "request_id": request_id}
```

## Use instead

```python
import logging

from fastapi import FastAPI

app = FastAPI()
log = logging.getLogger(__name__)


@app.post("/sessions")
async def start(name: str, request_id: str) -> dict[str, str]:
    log.info("session opened", extra={"request_id": request_id})
    return {"name": name, "request_id": request_id}
```

## When it is silent

- The line has one of the ids, in its text, in `extra`, or through a logger that was bound to it.
- The program gives ids to all its lines: a `logging.Filter` or `LoggerAdapter` of its own, a record factory,
  `dictConfig`, `structlog.contextvars`, `loguru`'s `contextualize`.
- The rule is off by default: `select = ["log-without-id"]` switches it on.

## Fix

None is made for you: a filter or a bound logger, once for the whole program, is better than an argument at each line.

## What is not found

Ids in objects, and lines of functions that are not given the id.

## References

CWE-778 (insufficient logging), CWE-223 (omission of security-relevant information).
"""

from __future__ import annotations

from collections.abc import Iterator

from leaklint.finding import Family, Severity
from leaklint.project.suspect import PropagationSuspect, Suspect
from leaklint.rule import Rule, Verdict


class LogWithoutId(Rule):
    """Judges log lines that leave out an id."""

    family = Family.PROPAGATION
    severity = Severity.TRACE
    cwe = (778, 223)
    default = False
    watches = (PropagationSuspect,)

    def wants(self, suspect: Suspect) -> bool:
        assert isinstance(suspect, PropagationSuspect)
        return suspect.form == "log"

    def judge(self, suspect: Suspect) -> Iterator[Verdict]:
        assert isinstance(suspect, PropagationSuspect)
        yield Verdict(
            f"`{suspect.callee}` writes a line without `{suspect.available}`, which is at hand",
            help=f"bind `{suspect.available}` to the logger, or add it by a filter",
        )
