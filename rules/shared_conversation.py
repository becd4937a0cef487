"""All requests talk to one chat engine, memory or agent, which remembers what every one of them said.

## What it does

Reports an object of a library that keeps a history for itself (a chat engine, a conversation chain, a memory buffer,
a chat session of a model) and that is made at import or start-up, or kept for all, while request code talks to it. Also
an object that was made with such a memory.

## Why it leaks

The history belongs to the object. Who asks gets an answer that was made from everybody's questions:

```
request A                         request B
engine.chat(alice's secret)
                                  engine.chat("what was said?")
                                                        ← alice's secret
```

## Example

```python
from flask import Flask, request
from llama_index.core import VectorStoreIndex

app = Flask(__name__)
index = VectorStoreIndex.from_documents([])
engine = index.as_chat_engine()


@app.post("/ask")
def ask() -> str:
    return str(engine.chat(request.form["question"]))
```

## Use instead

```python
from flask import Flask, request, session
from llama_index.core import VectorStoreIndex

app = Flask(__name__)
index = VectorStoreIndex.from_documents([])
engines = {}


@app.post("/ask")
def ask() -> str:
    engine = engines.setdefault(session["session_id"], index.as_chat_engine())
    return str(engine.chat(request.form["question"]))


@app.post("/leave")
def leave() -> str:
    engines.pop(session["session_id"], None)
    return "bye"
```

## When it is silent

- Models, clients, indexes, query engines and compiled graphs, which remember nothing.
- The object is made for the request, or is kept under the id of its session.
- The library keeps one history for each session by itself.
- Only start-up code and commands use it.

## Fix

None is made: only you know which id tells the sessions apart, and how long a history is to be kept. Make the object in
a function that takes the id of the session.

## What is not found

Agents and chats of libraries that no model names, and histories kept in lists of your own (`shared-container-write`
finds those).

## References

CWE-488 (exposure of data element to wrong session).
"""

from __future__ import annotations

from collections.abc import Iterator

from leaklint import words
from leaklint.finding import Family, Severity
from leaklint.project.suspect import SharedUseSuspect, Single, Suspect
from leaklint.rule import Rule, Verdict


class SharedConversation(Rule):
    """Judges objects with a history that all requests use."""

    family = Family.SHARED_STATE
    severity = Severity.LEAK
    cwe = (488,)
    watches = (SharedUseSuspect,)

    def wants(self, suspect: Suspect) -> bool:
        return isinstance(suspect, SharedUseSuspect) and suspect.single is Single.CONVERSATION

    def judge(self, suspect: Suspect) -> Iterator[Verdict]:
        assert isinstance(suspect, SharedUseSuspect)
        home = suspect.route.entry.home("session") if suspect.route is not None else ""
        users = sorted({words.short(use.function) for use in suspect.uses})
        yield Verdict(
            f"`{suspect.name}` remembers the conversations of all users together, as {words.listed(users)} "
            f"use{'s' if len(users) == 1 else ''} it for every request",
            help="make one for each session" + (f", and keep it in {home}" if home else ", and keep it under its id"),
        )
