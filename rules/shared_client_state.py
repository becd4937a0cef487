"""Headers, cookies or credentials of one user are set on a client that all requests share.

## What it does

Reports request code that changes what a shared HTTP or SDK client sends with every call, with data of the request:
`client.headers["Authorization"] = token`, `session.headers.update(...)`, `session.auth = (user, password)`,
`client.api_key = key`. Also logins of users through a shared client that keeps cookies.

## Why it leaks

The client is made once. What is set on it goes along with every later call, whoever asks for it:

```
request A                         request B
client.headers[...] = alice's
                                  client.headers[...] = bob's
client.get("/me")     ← bob's
```

A client that keeps cookies does the same without being told: the session cookie that the login of one user brings is
sent with the calls of all others.

## Example

```python
import requests
from flask import Flask, request

app = Flask(__name__)
client = requests.Session()


@app.get("/me")
def me() -> str:
    client.headers["Authorization"] = request.headers["Authorization"]
    return client.get("https://api.example.com/me").text
```

## Use instead

```python
import requests
from flask import Flask, request

app = Flask(__name__)
client = requests.Session()


@app.get("/me")
def me() -> str:
    return client.get("https://api.example.com/me", headers={"Authorization": request.headers["Authorization"]}).text
```

## When it is silent

- What is set does not come from a request: the service's own token, also when it is renewed while requests run.
- Headers, cookies and credentials are passed with each call.
- The client is made for the request.

## Fix

The headers, cookies or credentials are passed with the calls that follow in the same function, and no longer set on the
client. Safe, as these calls send what they sent before. Refused, with the reason, where other code uses the client too,
or where what is set is no value under a constant name.

## What is not found

Clients of libraries that no model names, and cookies of logins whose fields are not named after a user and a password.

## References

CWE-488 (exposure of data element to wrong session), CWE-567 (unsynchronized access to shared data).
"""

from __future__ import annotations

from collections.abc import Iterator

from leaklint import words
from leaklint.codemods.send_with_call import send_with_call
from leaklint.finding import Family, Fix, Safety, Severity
from leaklint.project.suspect import Kept, SharedUseSuspect, Single, Suspect, WriteSuspect
from leaklint.rule import Rule, Sources, Verdict

_KEYWORDS = ("headers", "cookies", "auth", "params", "proxies")


class SharedClientState(Rule):
    """Judges what request code leaves on shared clients."""

    family = Family.SHARED_STATE
    severity = Severity.LEAK
    fix = Safety.SAFE
    cwe = (488, 567)
    watches = (WriteSuspect, SharedUseSuspect)

    def wants(self, suspect: Suspect) -> bool:
        if isinstance(suspect, WriteSuspect):
            return suspect.place.kept is Kept.CLIENT
        return isinstance(suspect, SharedUseSuspect) and suspect.single is Single.COOKIES

    def judge(self, suspect: Suspect) -> Iterator[Verdict]:
        if isinstance(suspect, SharedUseSuspect):
            yield _login(suspect)
            return
        assert isinstance(suspect, WriteSuspect)
        client = suspect.place.client.rpartition(".")[2]
        yield Verdict(
            f"`{suspect.place.text}` sends {words.value(suspect)} of one request with every later call of the shared"
            f" `{client}`",
            help=_help(suspect),
            codemods=(lambda sources: _passed(sources, suspect),),
        )


def _passed(sources: Sources, suspect: WriteSuspect) -> Fix:
    def sends(method: str) -> bool:
        model = sources.models.call(f"{suspect.place.client}.{method}")
        return model is not None and model.outbound == "headers"

    return send_with_call(sources.open(suspect.span.path), suspect, sends)


def _login(suspect: SharedUseSuspect) -> Verdict:
    return Verdict(
        f"`{suspect.name}` keeps the cookies of every login, and sends them with the calls of all users",
        help="make a client for each session, or one that keeps no cookies",
        because=(f"`{words.clipped(suspect.texts[0])}` logs a user in",),
    )


def _help(suspect: WriteSuspect) -> str:
    place = suspect.place
    part = (place.path[0] if place.path else place.slot).lstrip(".")
    if part in _KEYWORDS:
        return f"pass it with the call: `{part}=...`"
    return "make a client with it for the request"
