"""Request data goes into a file that has the same name for every request, and is read back from it.

## What it does

Reports request code that writes data of the request to a file under a constant name (`open("out.wav", "wb")`,
`table.to_csv("result.csv")`, `Path("page.html").write_text(text)`), and then reads, serves or returns that file.

## Why it leaks

There is one such file on the machine. The second request overwrites it before the first has read it:

```
request A                         request B
writes answer.wav
                                  writes answer.wav
serves answer.wav     ← bob's
```

## Example

```python
from fastapi import FastAPI
from fastapi.responses import FileResponse

app = FastAPI()


@app.post("/note")
def note(text: str) -> FileResponse:
    with open("note.txt", "w") as file:
        file.write(text)
    return FileResponse("note.txt")
```

## Use instead

```python
import tempfile

from fastapi import FastAPI
from fastapi.responses import FileResponse

app = FastAPI()


@app.post("/note")
def note(text: str) -> FileResponse:
    with tempfile.NamedTemporaryFile("w", suffix=".txt", delete=False) as file:
        file.write(text)
    return FileResponse(file.name)
```

## When it is silent

- The name holds the request's id, a fresh id or the name of a temporary file.
- The file is only added to: logs.
- The request reads the file before it writes it, or never reads it: stores and settings that are kept on purpose.
- What is written does not come from a request, or the file is written only while it is missing.

## Fix

Suggested: where one function writes and reads the file, and nothing else says its name, it goes into a temporary folder
that each call makes. Who removes that is for you to say. Refused where the file lies in a folder that others may know.

## What is not found

Names that are computed in ways that cannot be followed, and files that another program reads.

## References

CWE-488 (exposure of data element to wrong session), CWE-377 (insecure temporary file), CWE-362 (race condition).
"""

from __future__ import annotations

from collections.abc import Iterator

from leaklint import words
from leaklint.codemods.unique_file import make_unique
from leaklint.finding import Family, Safety, Severity
from leaklint.project.suspect import FileSuspect, Suspect
from leaklint.rule import Rule, Verdict


class SharedFilePath(Rule):
    """Judges files under one name for all requests."""

    family = Family.SHARED_STATE
    severity = Severity.LEAK
    fix = Safety.SUGGESTED
    cwe = (488, 377, 362)
    watches = (FileSuspect,)

    def judge(self, suspect: Suspect) -> Iterator[Verdict]:
        assert isinstance(suspect, FileSuspect)
        what = f": `{words.clipped(suspect.value)}`" if suspect.value else ""
        yield Verdict(
            f"`{suspect.path}` is one file for all requests, and `{words.clipped(suspect.reading)}` reads what the last"
            f" of them wrote{what}",
            help="use a temporary file of its own, or a name with the id of the request",
            codemods=(lambda sources: make_unique(suspect, sources.open),),
        )
