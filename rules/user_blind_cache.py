"""A cache keeps results that depend on who asks, under a key that does not say who.

## What it does

Reports memoising decorators (`lru_cache`, the caches of Streamlit, Panel, Gradio, Chainlit, `cachetools`, `aiocache`),
caches of responses (`cached`, `cache_page`, `cache`), shared dicts and keys of stores (Redis, the cache of Django) that
a function looks up before it fills them, when the value depends on a user, session, tenant or credential which the key
leaves out: read from the request, from the session or from a context variable, in the function itself or in one that it
calls. A place without any key counts where it keeps a client made with credentials that were looked up for one id.

## Why it leaks

The first one to ask decides what all others get:

```
request A                         request B
plan("monthly")
  current user: alice
  keeps alice's plan
                                  plan("monthly")
                                    the key is known    ← alice's plan
```

## Example

```python
from functools import lru_cache

from flask import Flask
from flask_login import current_user

app = Flask(__name__)


@lru_cache(maxsize=128)
def plan(period: str) -> str:
    return f"{period} plan of {current_user.id}"


@app.get("/plan/<period>")
def show(period: str) -> str:
    return plan(period)
```

## Use instead

```python
from functools import lru_cache

from flask import Flask
from flask_login import current_user

app = Flask(__name__)


@lru_cache(maxsize=128)
def plan(period: str, user_id: str) -> str:
    return f"{period} plan of {user_id}"


@app.get("/plan/<period>")
def show(period: str) -> str:
    return plan(period, current_user.id)
```

## When it is silent

- The key holds what the value depends on, or something that it was derived from: a key with the session's id covers the
  user, a key with the user's covers the tenant.
- The cache is kept for each session (`scope="session"`, `per_session=True`), or belongs to an object of the request.
- The decorator is given a key of its own (`key=`, `key_builder=`, `make_cache_key=`), or the response varies.
- What is read goes to a log line only; ids of requests and traces say nothing of who asks.
- The value depends on nothing but the key.
- A client that is kept is made with settings of the program, for an id that is the same at every call, or made anew
  when another id is asked for.

## Fix

Suggested, since whether the result may be kept for each user at all is for you to say: a dict that one key is used
with gets that key and who asks together; a memoised function that reads who asks, itself or by a getter that what it
calls asks, gets it as an argument from all its callers. Refused, with the place, where a caller or a use of the dict
cannot say who asks, and where callers in other files would have to.

## What is not found

Keys that a helper makes, stores that are looked up in one function and filled in another, and what a database returns
to one user only.

## References

CWE-524 (use of a cache that contains sensitive information), CWE-488.
"""

from __future__ import annotations

from collections.abc import Iterator

from leaklint.codemods.cache_key import add_to_key
from leaklint.finding import Family, Safety, Severity
from leaklint.project.suspect import CacheSuspect, Suspect
from leaklint.rule import Rule, Verdict
from leaklint.words import listed


class UserBlindCache(Rule):
    """Judges caches whose keys leave out who asks."""

    family = Family.CACHING
    severity = Severity.LEAK
    fix = Safety.SUGGESTED
    cwe = (524, 488)
    watches = (CacheSuspect,)

    def judge(self, suspect: Suspect) -> Iterator[Verdict]:
        assert isinstance(suspect, CacheSuspect)
        if suspect.form == "slot":
            yield Verdict(
                f"`{suspect.name}` keeps what is made with the credentials for the first `{suspect.needs[0]}`, "
                "and gives it to all who come later",
                help=f"keep one for each `{suspect.needs[0]}`, or for each of the credentials",
            )
            return
        key = f"its key is {suspect.key}" if suspect.key else "it has no key"
        who = f"one {suspect.concept} gets what was kept for another" if suspect.concept else "others get it as well"
        yield Verdict(
            f"`{suspect.name}` keeps results that depend on {listed(suspect.needs)}, and {key}: {who}",
            help=f"make `{suspect.needs[0]}` part of the key, or keep a cache for each {suspect.concept or 'request'}",
            codemods=(lambda sources: add_to_key(suspect, sources.open),),
        )
