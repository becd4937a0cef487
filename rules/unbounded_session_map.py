"""A shared map gets an entry for every session, user or request, and nothing ever takes one out.

## What it does

Reports the write that adds entries to a dict which lives as long as the process, under the id of a session, a user, a
request or a connection, when no code of the program removes entries, replaces the dict or hands it to a library.

## Why it leaks

Every visitor leaves an entry behind, for as long as the process lives. Memory grows until the process is killed, all
sessions are lost at that moment, and until then everything that was ever said is at hand for the next bug:

```
request A         histories["a"] = [...]
request B         histories["b"] = [...]
...               nobody forgets "a" and "b"
```

## Example

```python
from fastapi import FastAPI

app = FastAPI()
histories: dict[str, list[str]] = {}


@app.post("/ask")
async def ask(session_id: str, text: str) -> int:
    history = histories.setdefault(session_id, [])
    history.append(text)
    return len(history)
```

## Use instead

```python
from cachetools import TTLCache
from fastapi import FastAPI

app = FastAPI()
histories: TTLCache[str, list[str]] = TTLCache(maxsize=10_000, ttl=3600)


@app.post("/ask")
async def ask(session_id: str, text: str) -> int:
    history = histories.setdefault(session_id, [])
    history.append(text)
    return len(history)
```

## When it is silent

- Entries are taken out somewhere: when a session ends or a client disconnects, by a task that evicts, when there are
  too many.
- The container drops entries itself: `TTLCache`, `LRUCache`, `WeakValueDictionary`.
- The keys are names of models, regions or tenants, of which there are few. Users are many, but not without end: maps
  under a user's id are told at low confidence only.
- The dict says that it stands for a database (`users_db`, `fake_table`).

## Fix

None is made for you: how long a session lives is for you to say. Remove its entry when it ends, or use a container
with a time to live.

## What is not found

Lists that grow, maps in objects of libraries, and removals that never happen.

## References

CWE-401 (missing release of memory after effective lifetime), CWE-770 (allocation without limits).
"""

from __future__ import annotations

from collections.abc import Iterator

from leaklint.finding import Family, Severity
from leaklint.project.suspect import GrowthSuspect, Suspect
from leaklint.rule import Rule, Verdict


class UnboundedSessionMap(Rule):
    """Judges shared maps that only ever grow."""

    family = Family.CACHING
    severity = Severity.TRACE
    cwe = (401, 770)
    watches = (GrowthSuspect,)

    def judge(self, suspect: Suspect) -> Iterator[Verdict]:
        assert isinstance(suspect, GrowthSuspect)
        others = f" (as do {len(suspect.also)} more maps here)" if len(suspect.also) > 1 else ""
        others = " (as does another map here)" if len(suspect.also) == 1 else others
        yield Verdict(
            f"`{suspect.name}` gets an entry for every {suspect.concept} and never loses one{others}",
            help=f"take the entry out when the {suspect.concept} ends, or use a container with a time to live",
        )
