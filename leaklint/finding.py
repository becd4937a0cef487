"""What leaves leaklint: findings, their traces and their fixes, as plain frozen data.

Nothing here parses, judges or prints; every value can be compared, pickled and sent between processes.
"""

from __future__ import annotations

import hashlib
from enum import Enum

from msgspec import Struct


class Severity(Enum):
    """Impact of a finding, independent of how sure leaklint is."""

    LEAK = "leak"  # data crosses users
    RACE = "race"  # lost or doubled work
    TRACE = "trace"  # hygiene: an id is lost


class Confidence(Enum):
    """How sure leaklint is that the finding is real."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"

    @property
    def rank(self) -> int:
        """0 for low, 1 for medium, 2 for high."""
        return ("low", "medium", "high").index(self.value)


class Family(Enum):
    """Groups of rules that can be selected together."""

    SHARED_STATE = "shared-state"
    SESSION_IDENTITY = "session-identity"
    AMBIENT_CONTEXT = "ambient-context"
    PROPAGATION = "propagation"
    RACES = "races"
    CACHING = "caching"
    SUPPRESSION = "suppression"


class Safety(Enum):
    """Tier of a fix (design: safe keeps behaviour but for the leak, shown is explained only)."""

    SAFE = "safe"
    SUGGESTED = "suggested"
    SHOWN = "shown"


class StepRole(Enum):
    """What a step of a trace shows."""

    ENTRY = "entry"  # where a request comes in
    CALL = "call"  # one call further
    WRITE = "write"  # where the value is kept, or the id is lost
    READ = "read"  # who reads it
    SHARED = "shared"  # why the place is shared: where the object is made or kept
    RELATED = "related"  # other sites of the same cause


class Span(Struct, frozen=True, order=True):
    """A range of source text.

    `path` is relative to the project root with forward slashes. Lines and columns count from 1, columns in code
    points; the end column is the first one behind the range.
    """

    path: str
    line: int
    column: int
    end_line: int
    end_column: int


class Step(Struct, frozen=True):
    """One frame of a trace: a place in the code and one plain sentence about it."""

    role: StepRole
    span: Span
    message: str


class Moment(Struct, frozen=True):
    """One row of the two-lane timeline: request 0 is A, request 1 is B."""

    request: int
    message: str
    span: Span | None = None
    remark: str = ""  # printed at the end of the row, as in "← B's"


class Edit(Struct, frozen=True):
    """Replace `text[start:end]` (code points of the decoded file) of `path`, which must still read `expected`."""

    path: str
    start: int
    end: int
    expected: str
    replacement: str


class Fix(Struct, frozen=True):
    """A codemod's result: edits that belong together, in one or several files."""

    title: str  # a verb phrase: "Keep `_callback_holder` in a request-local variable"
    safety: Safety
    edits: tuple[Edit, ...] = ()
    refused: str = ""  # why no edits are offered, naming the uncovered site; empty when there are edits


class Finding(Struct, frozen=True):
    """One leak, race or lost id, told once."""

    rule: str
    family: Family
    severity: Severity
    confidence: Confidence
    span: Span
    message: str
    because: tuple[str, ...] = ()  # recorded facts, as clauses: "`agent` is made once, at import"
    trace: tuple[Step, ...] = ()  # entry -> calls -> write, then readers, sharing and related sites
    timeline: tuple[Moment, ...] = ()
    help: str = ""  # what to do, in one sentence
    fix: Fix | None = None
    subject: str = ""  # qualified name of the shared object or id: "services.agent.Agent._holder"
    writer: str = ""  # qualified name of the function that holds the primary location
    statement: str = ""  # normalised source of the primary statement
    declared: tuple[Span, ...] = ()  # where `# leaklint: shared` would silence this

    @property
    def fingerprint(self) -> str:
        """Stable identity (32 hex digits) by rule, subject, writer and statement; never by line."""
        key = "\0".join((self.rule, self.subject, self.writer, self.statement))
        return hashlib.blake2b(key.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


class Problem(Struct, frozen=True):
    """Something that could not be checked: one line that names the file, and a hint."""

    path: str
    message: str
    hint: str = ""
    line: int = 0  # 0 when the problem has no line
    column: int = 0
    internal: bool = False  # an error of leaklint itself, not of the input
