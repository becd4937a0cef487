"""One session or conversation is kept for an API key or account that several callers use at the same time.

## What it does

Reports the store of a session, a conversation or an object with a memory in a shared map whose key is an API key or an
account and nothing else, in code that requests of that key run at the same time; likewise a memoised function that
makes one for each such key.

## Why it leaks

A key belongs to a team or an application, not to a conversation. All who use it talk in the same session:

```
request A (key "red")              request B (key "red")
sessions["red"] = A's session
                                   finds sessions["red"]
                                   asks its own question in it    ← A's history
```

## Example

```python
from fastapi import FastAPI, Header

app = FastAPI()
sessions: dict[str, "Conversation"] = {}


class Conversation:
    def __init__(self) -> None:
        self.turns: list[str] = []

    def ask(self, text: str) -> int:
        self.turns.append(text)
        return len(self.turns)


@app.post("/ask")
async def ask(text: str, x_api_key: str = Header()) -> int:
    conversation = sessions.setdefault(x_api_key, Conversation())
    return conversation.ask(text)
```

## Use instead

```python
from fastapi import FastAPI, Header

app = FastAPI()
sessions: dict[tuple[str, str], "Conversation"] = {}


class Conversation:
    def __init__(self) -> None:
        self.turns: list[str] = []

    def ask(self, text: str) -> int:
        self.turns.append(text)
        return len(self.turns)


@app.post("/ask")
async def ask(session_id: str, text: str, x_api_key: str = Header()) -> int:
    conversation = sessions.setdefault((x_api_key, session_id), Conversation())
    return conversation.ask(text)


@app.delete("/ask")
async def leave(session_id: str, x_api_key: str = Header()) -> None:
    sessions.pop((x_api_key, session_id), None)
```

## When it is silent

- The key names the session or the user as well.
- What is kept belongs to the key: rate limits, quotas, counters, the result of an authentication, clients.
- The map is made for the request.

## Fix

None is made for you: where the session's own id comes from is for you to say.

## What is not found

Sessions that another program keeps for the key, and keys under names that do not say so.

## References

CWE-488 (exposure of data element to wrong session).
"""

from __future__ import annotations

from collections.abc import Iterator

from leaklint.finding import Family, Severity
from leaklint.project.suspect import CredentialSuspect, Suspect
from leaklint.rule import Rule, Verdict


class SessionPerCredential(Rule):
    """Judges maps of sessions under a key that many use."""

    family = Family.SESSION_IDENTITY
    severity = Severity.LEAK
    cwe = (488,)
    watches = (CredentialSuspect,)

    def judge(self, suspect: Suspect) -> Iterator[Verdict]:
        assert isinstance(suspect, CredentialSuspect)
        yield Verdict(
            f"`{suspect.name}` keeps one session for `{suspect.key}`, which all who use that key share",
            help="let the key name the session too: an id that each conversation brings or is given",
        )
