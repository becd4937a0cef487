"""What a request set in a ContextVar is read in a thread, process or queue consumer that has another context.

## What it does

Reports calls that run code in a thread (`run_in_executor`, `submit`, `Thread`), in another process, or hand it to the
consumer of a queue, when that code reads a ContextVar which the request has set.

## Why it leaks

Threads, processes and consumers have contexts of their own. The code there gets the default, or whatever was set in
that context before: a query without its tenant, a line of the log without its request.

```
request           tenant.set("a"); pool.submit(rows)
thread            tenant.get()     not "a": the default
```

## Example

```python
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar

from fastapi import FastAPI

app = FastAPI()
pool = ThreadPoolExecutor()
tenant: ContextVar[str] = ContextVar("tenant", default="public")


def query(table: str) -> str:
    return f"select * from {tenant.get()}.{table}"


@app.get("/{tenant_id}/orders")
async def orders(tenant_id: str) -> str:
    tenant.set(tenant_id)
    return pool.submit(query, "orders").result()
```

## Use instead

```python
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar, copy_context

from fastapi import FastAPI

app = FastAPI()
pool = ThreadPoolExecutor()
tenant: ContextVar[str] = ContextVar("tenant", default="public")


def query(table: str) -> str:
    return f"select * from {tenant.get()}.{table}"


@app.get("/{tenant_id}/orders")
async def orders(tenant_id: str) -> str:
    tenant.set(tenant_id)
    return pool.submit(copy_context().run, query, "orders").result()
```

## When it is silent

- The context goes along: `asyncio.to_thread`, `copy_context().run`, `create_task`, `Thread(..., context=...)`.
- The value goes along as an argument, and the code there reads it from that, or sets the variable from it.
- The program asks `sys.flags.thread_inherit_context`: it runs where a `Thread` inherits the context (Python 3.14). A
  pool does not, whose threads are older than the request.
- No request sets the variable, or only requests that do not come to this call.

## Fix

Safe: the function is run by `copy_context().run`; where a pool maps it over many elements, each call runs in a copy of
its own. None for other processes and for queues, which no context can be sent to.

It is a trace and not a leak where the variable holds the id of a request or trace, and where only the lines of a log
are made from it. Where it is read for figures alone, by a function that is named for telemetry, metrics or analytics
and whose result nobody takes, confidence is low.

## What is not found

Tasks of Celery and other brokers, subclasses of `Thread`, and code that only a logger runs. How the interpreter is
started is not seen: where `-X thread_inherit_context=1` stands on its command line only, or it is a free-threaded one,
a `Thread` loses nothing.

## References

CWE-488 (exposure of data element to wrong session), CWE-223 (omission of security-relevant information). Python: PEP
567.
"""

from __future__ import annotations

from collections.abc import Iterator

from leaklint.codemods.carry_context import carry_context
from leaklint.finding import Family, Fix, Safety, Severity
from leaklint.project.suspect import Aside, ContextLostSuspect, Suspect
from leaklint.rule import Rule, Sources, Verdict
from leaklint.words import listed, short

_PERSONAL = ("tenant", "user", "session", "credential")
_WHERE = {"thread": "in a thread", "process": "in another process", "queue": "behind a queue"}
_HELP = {
    "thread": "run it by `copy_context().run`, or use `asyncio.to_thread`",
    "process": "pass the value as an argument",
    "queue": "put the value into the queue with the work",
}


class ContextLost(Rule):
    """Judges calls that run code without the caller's context."""

    family = Family.PROPAGATION
    severity = Severity.LEAK
    fix = Safety.SAFE
    cwe = (488, 223)
    watches = (ContextLostSuspect,)

    def judge(self, suspect: Suspect) -> Iterator[Verdict]:
        assert isinstance(suspect, ContextLostSuspect)
        names, run = listed([suspect.name, *suspect.others]), short(suspect.callee)
        yield Verdict(
            f"`{run}` runs {_WHERE[suspect.border]}, where {names} {_lack(suspect)} what the request set",
            help=_HELP[suspect.border],
            severity=Severity.LEAK if suspect.concept in _PERSONAL and suspect.aside is Aside.NO else Severity.TRACE,
            codemods=(lambda sources: _carried(sources, suspect),),
        )


def _lack(suspect: ContextLostSuspect) -> str:
    return "do not hold" if suspect.others else "does not hold"


def _carried(sources: Sources, suspect: ContextLostSuspect) -> Fix:
    return carry_context(sources.open(suspect.span.path), suspect)
