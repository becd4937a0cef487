"""Request code changes a setting that the whole process has once.

## What it does

Reports request code that changes what belongs to the process and not to the request: with data of the request
(`os.environ["TOKEN"] = token`, `openai.api_key = key`, `genai.configure(api_key=key)`, names of any library), or at all
where every change disturbs the others (`os.chdir`, `sys.stdout = buffer`, `redirect_stdout`, the locale, the current
figure of pyplot).

## Why it leaks

There is one environment, one working directory, one standard output. All requests use the one that was set last:

```
request A                         request B
openai.api_key = alice's
                                  openai.api_key = bob's
ask(question)         ← bob's
```

Setting it back in `finally` does not help: it takes away what another request is using.

## Example

```python
import os
import subprocess

from flask import Flask, request

app = Flask(__name__)


@app.post("/deploy")
def deploy() -> str:
    os.environ["DEPLOY_TOKEN"] = request.headers["X-Token"]
    return subprocess.run(["deploy", "--now"], capture_output=True, text=True).stdout
```

## Use instead

```python
import os
import subprocess

from flask import Flask, request

app = Flask(__name__)


@app.post("/deploy")
def deploy() -> str:
    environment = {**os.environ, "DEPLOY_TOKEN": request.headers["X-Token"]}
    return subprocess.run(["deploy", "--now"], env=environment, capture_output=True, text=True).stdout
```

## When it is silent

- At import and start-up, in commands and scripts, in workers that run one task at a time.
- What is set is the same each time, and no data of a request.
- It is set back in the same function before any other request runs: no `await` in between on an event loop, or a lock
  that all who do it hold.

## Fix

None is made: where the value belongs is for you to say, as each library has its own place for it (`env=` and `cwd=` of
a subprocess, `Client(api_key=...)`, a figure of one's own), and what else relies on the setting cannot be seen.

## What is not found

Settings changed by calls that no model names, and those that a library changes on its own.

## References

CWE-488 (exposure of data element to wrong session), CWE-15 (external control of system or configuration setting),
CWE-362 (race condition).
"""

from __future__ import annotations

from collections.abc import Iterator

from leaklint import words
from leaklint.finding import Family, Severity
from leaklint.project.suspect import Kept, SettingSuspect, Suspect, WriteSuspect
from leaklint.rule import Rule, Verdict


class ProcessWideSetting(Rule):
    """Judges changes of what the process has once."""

    family = Family.SHARED_STATE
    severity = Severity.LEAK
    cwe = (488, 15, 362)
    watches = (WriteSuspect, SettingSuspect)

    def wants(self, suspect: Suspect) -> bool:
        return isinstance(suspect, SettingSuspect) or (
            isinstance(suspect, WriteSuspect) and suspect.place.kept is Kept.LIBRARY
        )

    def judge(self, suspect: Suspect) -> Iterator[Verdict]:
        if isinstance(suspect, WriteSuspect):
            what = suspect.place.setting or "a name of the library"
            yield Verdict(
                f"`{suspect.place.text}` is {what}, and keeps {words.value(suspect)} of one request for all others",
                help="pass it to the call or the client that needs it",
            )
        elif isinstance(suspect, SettingSuspect):
            yield _changed(suspect)


def _changed(suspect: SettingSuspect) -> Verdict:
    text = words.clipped(suspect.text)
    help_ = f"give the request its own instead of changing {suspect.setting}"
    if suspect.value:
        return Verdict(f"`{text}` changes {suspect.setting} for all requests, with data of one", help=help_)
    return Verdict(
        f"`{text}` changes {suspect.setting} for all requests, not only for this one",
        help=help_,
        severity=Severity.RACE,
    )
