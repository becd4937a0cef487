"""A constant is used as session, conversation, thread, chat or user id.

## What it does

Reports a constant that request code uses as an id: kept in an attribute, passed as an argument or keyword, put under
an id's key in a dict (`{"configurable": {"thread_id": "1"}}`), or used as the key of a map of sessions. The constant is
flagged where it is brought in; the trace ends where a request uses it.

## Why it leaks

Whatever is kept by that id belongs to everybody: history, memory, the assigned provider, the open connection.

```
request A                                 request B
answers in session "default"
                                          answers in session "default"   ← with A's history
```

## Example

```python
from fastapi import FastAPI

app = FastAPI()
histories: dict[str, list[str]] = {}


@app.post("/chat")
async def chat(text: str) -> list[str]:
    session_id = "default"
    histories.setdefault(session_id, []).append(text)
    return histories[session_id]


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


@app.post("/chat")
async def chat(text: str) -> list[str]:
    session_id = str(uuid.uuid4())
    histories.setdefault(session_id, []).append(text)
    return histories[session_id]


@app.delete("/chat/{session_id}")
async def forget(session_id: str) -> None:
    histories.pop(session_id, None)
```

## When it is silent

Command lines, tests and what stands under `if __name__ == "__main__"`; log lines and labels; members of enums; names
of columns, headers and cookies; constants that are asked for again (`if session_id == "default"`), because they mean
that none was given; attributes that get another value elsewhere.

## Fix

Suggested: the id in scope, the id that the framework keeps for the session (Streamlit, Chainlit, Gradio; handlers ask
for it, and hand it down to what they call), or a fresh `uuid4`. Sessions that were one become many, so look at who
comes back to a session and give the id back to them.
Refused for users and tenants: nobody can make up who is asking.

## What is not found

Constants from configuration files and the environment, and constants that reach the id through computed text.

## References

CWE-344 (use of invariant value in dynamically changing context), CWE-488.
"""

from __future__ import annotations

from collections.abc import Iterator

from leaklint.codemods import identity
from leaklint.codemods.framework_id import use_framework_id
from leaklint.codemods.session_key import SessionKeys
from leaklint.finding import Family, Fix, Safety, Severity
from leaklint.project.suspect import IdOrigin, IdSuspect, Suspect
from leaklint.rule import Rule, Sources, Verdict


class ConstantSessionId(Rule):
    """Judges constants that request code uses as ids."""

    family = Family.SESSION_IDENTITY
    severity = Severity.LEAK
    fix = Safety.SUGGESTED
    cwe = (344, 488)
    watches = (IdSuspect,)

    def wants(self, suspect: Suspect) -> bool:
        assert isinstance(suspect, IdSuspect)
        return suspect.origin is IdOrigin.CONSTANT

    def judge(self, suspect: Suspect) -> Iterator[Verdict]:
        assert isinstance(suspect, IdSuspect)
        yield Verdict(
            f"`{suspect.name}` is {suspect.value} in every request",
            help="use the id of this session",
            codemods=(
                lambda sources: _give_id(sources, suspect) if suspect.in_request else _framework(sources, suspect),
            ),
        )


def _give_id(sources: Sources, suspect: IdSuspect) -> Fix:
    syntax = sources.open(suspect.value_span.path)
    node = syntax.node_at(suspect.value_span)
    if not suspect.available and suspect.concept not in identity.MADE_UP:
        who = f"which {suspect.concept} this is"
        return Fix("Use the id in scope", Safety.SUGGESTED, refused=f"nothing there says {who}: {syntax.site(node)}")
    homes = suspect.route.entry.homes if suspect.route is not None else ()
    kept = next((home.once for home in homes if home.once and home.scope == suspect.concept), "")
    if kept and not suspect.available:
        return identity.give_session_id(syntax, node, suspect.name, kept)
    asked = next((home.id for home in homes if home.given and home.id and home.scope == suspect.concept), "")
    if asked and not suspect.available:
        keys = SessionKeys(sources.open, suspect.passing, sources.is_session)
        return identity.give_asked_id(syntax, node, asked, keys)
    return identity.give_id(syntax, node, suspect.available, name=suspect.name, files=sources.open)


def _framework(sources: Sources, suspect: IdSuspect) -> Fix:
    homes = [home for home in sources.models.homes if home.id and home.type and home.scope == suspect.concept]
    if not homes or not suspect.uses:
        return Fix("Use the id of the session", Safety.SUGGESTED, refused="no id of the session is at hand there")
    keys = SessionKeys(sources.open, suspect.passing, sources.is_session)
    return use_framework_id(sources.open, suspect.uses, homes[0].type, homes[0].id, keys)
