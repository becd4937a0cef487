"""A call to another program leaves out an id that the calls beside it send.

## What it does

Reports an outbound call of request code that has an id at hand (of a request, trace, session, tenant, model), does not
send it in any form, and goes over a client on which other calls send this id in their headers or metadata; by a
function of a library, to an address that other calls of the module send it to; or by a helper of the program that hands
on headers. Likewise a task that is queued without an id that the same task is queued with elsewhere, in the headers or
among the arguments; and one that takes an id and is queued by its name without it, where most tasks of the project
carry it. (What a task names among its own parameters is told by `id-not-passed`.)

`sent-ids = ["X-Request-ID"]` in the configuration asks for this id in every outbound call that has it at hand, whatever
the others do.

## Why it leaks

The other program cannot tell whose request this is: its log lines cannot be joined with the caller's, and where the id
chooses the model, session or waiting request, the answer is another one's.

## Example

```python
import httpx
from fastapi import FastAPI

app = FastAPI()


class Provider:
    def __init__(self, http: httpx.Client) -> None:
        self.http = http

    def models(self, request_id: str) -> str:
        return self.http.get("/models", headers={"X-Request-ID": request_id}).text

    def ask(self, prompt: str, request_id: str) -> dict[str, str]:
        answer = self.http.post("/ask", json={"prompt": prompt}, headers={"Accept": "text/plain"})
        return {"id": request_id, "text": answer.text}


provider = Provider(httpx.Client(base_url="https://models.example"))


@app.get("/models")
def models(request_id: str) -> str:
    return provider.models(request_id)


@app.post("/ask")
def ask(prompt: str, request_id: str) -> dict[str, str]:
    return provider.ask(prompt, request_id)
```

## Use instead

```python
import httpx
from fastapi import FastAPI

app = FastAPI()


class Provider:
    def __init__(self, http: httpx.Client) -> None:
        self.http = http

    def models(self, request_id: str) -> str:
        return self.http.get("/models", headers={"X-Request-ID": request_id}).text

    def ask(self, prompt: str, request_id: str) -> dict[str, str]:
        headers = {"Accept": "text/plain", "X-Request-ID": request_id}
        answer = self.http.post("/ask", json={"prompt": prompt}, headers=headers)
        return {"id": request_id, "text": answer.text}


provider = Provider(httpx.Client(base_url="https://models.example"))


@app.get("/models")
def models(request_id: str) -> str:
    return provider.models(request_id)


@app.post("/ask")
def ask(prompt: str, request_id: str) -> dict[str, str]:
    return provider.ask(prompt, request_id)
```

## When it is silent

The id takes part in the call in any way (address, body, headers filled before it); the headers are those of the
request, handed on under any name; no other call over the same client sends it, and the configuration does not want it;
the client was made with hooks or an authenticator that add to each call; the call is made for want of the id, or only
where a setting says that there is one tenant (`if MULTI_TENANT: raise`).

## Fix

Suggested: the id is added to the headers or metadata under the name that the other calls use, where there is one.
Refused where the others send it in a form of their own, and for tasks whose function takes no argument of that name.

## What is not found

Clients made anew for each call, calls to addresses that are put together elsewhere, calls by code that was generated
from an interface (gRPC), and tasks that are queued as parts of a chain or group.

## References

CWE-778 (insufficient logging), CWE-223 (omission of security-relevant information).
"""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from leaklint.codemods import tasks
from leaklint.codemods.pass_argument import has_form_of_its_own, send_entry
from leaklint.finding import Family, Fix, Safety, Severity
from leaklint.project.suspect import TASK_ARGUMENTS, PropagationSuspect, Suspect
from leaklint.rule import Rule, Sources, Verdict


class IdNotSent(Rule):
    """Judges outbound calls that leave out an id."""

    family = Family.PROPAGATION
    severity = Severity.TRACE
    fix = Safety.SUGGESTED
    cwe = (778, 223)
    watches = (PropagationSuspect,)

    def wants(self, suspect: Suspect) -> bool:
        assert isinstance(suspect, PropagationSuspect)
        return suspect.form == "outbound"

    def judge(self, suspect: Suspect) -> Iterator[Verdict]:
        assert isinstance(suspect, PropagationSuspect)
        who = "other calls send" if suspect.example is not None else "the configuration wants to be sent"
        yield Verdict(
            f"`{suspect.callee}` leaves out `{suspect.available}`, which {who} as `{suspect.name}`",
            help=f"send `{suspect.name}` {f'in `{suspect.carrier}`' if suspect.carrier else 'with it'}",
            codemods=(lambda sources: _send(sources, suspect),),
        )


def _send(sources: Sources, suspect: PropagationSuspect) -> Fix:
    syntax = sources.open(suspect.span.path)
    call = syntax.node_at(suspect.span, cst.Call)
    if not suspect.carrier:
        return Fix(f"Send `{suspect.name}`", Safety.SUGGESTED, refused="the call takes the arguments of the task only")
    if suspect.carrier == TASK_ARGUMENTS and not tasks.takes(syntax, call, suspect.name, sources.open):
        taken = f"the task is not seen to take `{suspect.name}`: {syntax.site(call)}"
        return Fix(f"Send `{suspect.name}`", Safety.SUGGESTED, refused=taken)
    other = syntax
    if suspect.example is not None:
        other = sources.open(suspect.example.path)
        sending = other.node_at(suspect.example, cst.Call)
        if has_form_of_its_own(other, sending, call, suspect.carrier):
            form = f"what `{suspect.carrier}` takes is made in a way of its own at {other.site(sending)}"
            return Fix(f"Send `{suspect.name}`", Safety.SUGGESTED, refused=form)
    return send_entry(syntax, call, suspect.carrier, suspect.name, suspect.available, other)
