"""A session is looked up by an id that the client says, and nothing asks whether it is the client's.

## What it does

Reports a handler that is given who the client is (by a dependency, or by a decorator that asks for a login), looks up
stored state of a session, conversation or thread by an id from the path, the query or the body (in a shared map, or a
row of a database, itself or in a helper), and does nothing with the principal that could be a check.

## Why it leaks

Being logged in is not being the owner. Ids travel in addresses, logs and screenshots, and some can be guessed:

```
request A (alice)                 request B (bob)
GET /chats/7    her own chat
                                  GET /chats/7    ← alice's chat
```

## Example

```python
from fastapi import Depends, FastAPI, Request

app = FastAPI()
chats: dict[str, list[str]] = {}


def current_user(request: Request) -> str:
    return request.headers["X-User"]


@app.get("/chats/{chat_id}")
async def show(chat_id: str, user: str = Depends(current_user)) -> list[str]:
    return chats[chat_id]
```

## Use instead

```python
from fastapi import Depends, FastAPI, Request

app = FastAPI()
chats: dict[tuple[str, str], list[str]] = {}


def current_user(request: Request) -> str:
    return request.headers["X-User"]


@app.get("/chats/{chat_id}")
async def show(chat_id: str, user: str = Depends(current_user)) -> list[str]:
    return chats[user, chat_id]
```

## When it is silent

- The principal is compared with something, is part of the key or of the query, or goes to a call that can check it.
- A dependency of the handler takes the id as well.
- The handler, a decorator or the principal's provider is for administrators, or speaks of owners or permissions.
- Nobody is logged in: there is no principal to ask.

## Fix

None is made for you: where the owner of a session is written down is for you to say. Keep the owner in the key, or
compare it after the look-up and answer as if the session did not exist.

## What is not found

Look-ups by SQL text and in other programs, checks that compare the wrong thing, and principals under names that do not
say so.

## References

CWE-639 (authorisation bypass through a user-controlled key).
"""

from __future__ import annotations

from collections.abc import Iterator

from leaklint.finding import Family, Severity
from leaklint.project.suspect import OwnerSuspect, Suspect
from leaklint.rule import Rule, Verdict


class UncheckedSessionOwner(Rule):
    """Judges look-ups of sessions that ask nobody whose they are."""

    family = Family.SESSION_IDENTITY
    severity = Severity.LEAK
    cwe = (639,)
    watches = (OwnerSuspect,)

    def judge(self, suspect: Suspect) -> Iterator[Verdict]:
        assert isinstance(suspect, OwnerSuspect)
        yield Verdict(
            f"`{suspect.look_up}` gives the session to whoever says `{suspect.name}`: {_who(suspect)}",
            help="make the user part of the key, or compare the session's owner with the user",
        )


def _who(suspect: OwnerSuspect) -> str:
    if suspect.form == "parameter":
        return f"`{suspect.principal}` is at hand and compared with nothing"
    return f"`{suspect.principal}` asks that somebody is logged in, and nothing asks who"
