"""Findings that offer fixes to a diff of the project or, on request, to changed files.

Fixes are taken together, tried in memory and judged by another check; what does not hold is taken back, one by one.
Nothing here knows what a fix does, and no file is written before all of that is over.
"""

from __future__ import annotations

import contextlib
import difflib
import gc
import os
import re
import stat
import tempfile
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from enum import Enum
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from msgspec import Struct, field
from msgspec.structs import replace

from leaklint.config import Config
from leaklint.files import decode
from leaklint.finding import Confidence, Edit, Family, Finding, Fix, Problem, Safety
from leaklint.progress import Progress, silent

if TYPE_CHECKING:
    from leaklint.cache import Cache
    from leaklint.run import Report

Texts: TypeAlias = Mapping[str, str]
Check: TypeAlias = "Callable[[Texts], Report]"
"""Judges the project with some of its files replaced, by path."""


class Answer(Enum):
    """What someone who is asked about one fix says."""

    YES = "yes"
    NO = "no"
    ALL = "all"  # this one and all that follow
    QUIT = "quit"  # neither this one nor any that follows


Ask: TypeAlias = "Callable[[Finding, str], Answer]"
"""Shows somebody a finding and the diff of its fix alone, and says what they answer."""

PASSES = 25  # fixes that overlap wait for the next pass; nobody needs as many


class Outcome(Struct, frozen=True):
    """What was mended, or could be. What is left stands where it is in the files as they now are on disk."""

    diff: str  # unified; paths relative to the current folder
    changed: tuple[str, ...]  # paths relative to the root of the report
    fixed: tuple[Finding, ...]
    left: tuple[tuple[Finding, str], ...]  # with the reason
    problems: tuple[Problem, ...]


def fix(
    root: Path,
    config: Config,
    paths: Sequence[Path],
    *,
    unsafe: bool,
    select: Sequence[str],
    apply: bool,
    progress: Progress = silent,
    ask: Ask | None = None,
    cache: Cache | None = None,
    jobs: int = 1,
) -> Outcome:
    """Mend what touches `paths`: with safe fixes, with suggested ones too where `unsafe`, of the selected rules.

    `root` is the project's; `select` holds rules and families, and empty means all. Only `apply` writes. Raises
    UserError as `run.run` does. Where there is `ask`, only the fixes that it agrees to are made.
    """
    from leaklint import run

    def check(overlay: Texts) -> Report:
        if not gc.isenabled():
            gc.collect()  # nobody else takes away what the check before this one has built up
        return run.run(paths, config, progress, overlay, cache, jobs)

    def check_all(overlay: Texts) -> Report:
        return run.run(paths, replace(config, min_confidence=Confidence.LOW), silent, overlay, None, jobs)

    mended = mend(check, lambda finding: why_not(finding, unsafe=unsafe, select=select), progress, ask, check_all)
    written, failed = set[str](), dict[str, Problem]()
    if apply:
        written, failed = write(mended.first.root, mended.first.texts, mended.texts, [fix for _, fix in mended.fixed])
    return _outcome(mended, written, failed)


def why_not(finding: Finding, *, unsafe: bool, select: Sequence[str]) -> str:
    """Why a finding's fix is not to be made; empty when it is."""
    if select and finding.rule not in select and finding.family.value not in select:
        return "not selected"
    match finding.fix:
        case None:
            return "it has no fix"
        case Fix(edits=()):
            return f"its fix is refused: {finding.fix.refused}" if finding.fix.refused else "its fix is only explained"
        case Fix(safety=Safety.SHOWN):
            return "its fix is only explained"
        case Fix(safety=Safety.SUGGESTED) if not unsafe:
            return "its fix may change behaviour: `--unsafe-fixes` takes it in"
        case _:
            return ""


def _outcome(mended: Mended, written: Set[str], failed: Mapping[str, Problem]) -> Outcome:
    texts = {path: text for path, text in mended.texts.items() if path not in failed}
    stays = {finding for finding, fix in mended.fixed if any(edit.path in failed for edit in fix.edits)}
    left = [(one.now, one.reason) if one.now.span.path in written else (one.then, one.before) for one in mended.left]
    left += [(finding, "its files could not be written") for finding, _ in mended.fixed if finding in stays]
    return Outcome(
        diff="".join(_diff(mended.first.root, mended.first.texts, texts)),
        changed=tuple(sorted(texts)),
        fixed=tuple(finding for finding, _ in mended.fixed if finding not in stays),
        left=tuple(sorted(left, key=lambda pair: (pair[0].span, pair[0].rule))),
        problems=(*mended.first.problems, *failed.values()),
    )


# --- fixing in memory --------------------------------------------------------------------------------------------


class _Left(Struct, frozen=True):
    """A finding that no fix took away: as it stands in the new texts, and as it stood in the first."""

    now: Finding
    then: Finding
    reason: str

    @property
    def before(self) -> str:
        """The reason as it was for the first texts: places that it names have not moved then."""
        was, now = self.then.fix, self.now.fix
        if was is None or now is None or not (was.refused and now.refused):
            return self.reason
        return self.reason.replace(now.refused, was.refused)


class Mended(Struct, frozen=True):
    """The end of all passes; fixed findings are those of the first check where it had them."""

    first: Report
    texts: dict[str, str]  # of the files that change
    fixed: tuple[tuple[Finding, Fix], ...]
    left: tuple[_Left, ...]


class _State(Struct, frozen=True):
    """A program between two fixes."""

    report: Report
    overlay: dict[str, str] = field(default_factory=dict)

    def text(self, path: str) -> str:
        return self.overlay[path] if path in self.overlay else self.report.texts[path]


def mend(
    check: Check,
    why_not: Callable[[Finding], str],
    progress: Progress = silent,
    ask: Ask | None = None,
    check_all: Check | None = None,
) -> Mended:
    """Make fixes until there is none left to make; `why_not` says of a finding why it is left alone, or nothing.

    What `check_all` tells besides, because it is less sure, is no new finding where a fix brings it to light.
    """
    consent = _Consent(ask)
    state = _State(check({}))
    first = state.report
    origin = {finding: finding for finding in first.findings}
    fixed: list[tuple[Finding, Fix]] = []
    rejected: dict[str, str] = {}
    for number in range(PASSES):
        wanted = [one for one in state.report.findings if one.fingerprint not in rejected and not why_not(one)]
        batch = _compatible(one for one in wanted if consent(one, origin[one], state))
        if not batch:
            break
        progress("fixing", number, 0)
        before = state.report
        state, kept, reasons = _settled(check, check_all, state, batch)
        rejected |= {finding.fingerprint: reason for finding, reason in reasons}
        fixed += [(origin[finding], finding.fix) for finding in kept if finding.fix]
        origin = _origins(origin, before, state.report, kept)
    left = tuple(
        _Left(
            one,
            origin[one],
            rejected.get(one.fingerprint) or why_not(one) or consent.refused(origin[one]) or _UNFINISHED,
        )
        for one in state.report.findings
    )
    return Mended(first, state.overlay, tuple(fixed), left)


_UNFINISHED = "its fix overlaps others: run again"


class _Consent:
    """Asks once about each finding, until somebody has had enough; without anybody to ask all fixes are agreed to."""

    def __init__(self, ask: Ask | None) -> None:
        self._ask = ask
        self._answers: dict[str, Answer] = {}
        self._last: Answer | None = Answer.ALL if ask is None else None

    def __call__(self, finding: Finding, origin: Finding, state: _State) -> bool:
        """Whether the finding's fix, which fits the texts of `state`, is to be made."""
        key = origin.fingerprint
        if key not in self._answers:
            self._answers[key] = self._last or self._asked(finding, state)
        return self._answers[key] in (Answer.YES, Answer.ALL)

    def refused(self, origin: Finding) -> str:
        """Why a finding is left that somebody was asked about; empty where it is not for that."""
        return {Answer.NO: "declined", Answer.QUIT: "not asked about: you quit"}.get(
            self._answers.get(origin.fingerprint, Answer.YES), ""
        )

    def _asked(self, finding: Finding, state: _State) -> Answer:
        assert self._ask is not None  # else the last answer is there from the start
        edits = finding.fix.edits if finding.fix else ()
        before = {path: state.text(path) for path in sorted({edit.path for edit in edits})}
        after = {path: applied(text, [e for e in edits if e.path == path]) for path, text in before.items()}
        answer = self._ask(finding, "".join(_diff(state.report.root, before, after)))
        if answer in (Answer.ALL, Answer.QUIT):
            self._last = answer
        return answer


def _origins(
    origin: Mapping[Finding, Finding], before: Report, after: Report, kept: Sequence[Finding]
) -> dict[Finding, Finding]:
    """The finding of the first check for each finding of the last one, or itself where a fix brought it to light."""
    pairs = _matched(before.findings, after.findings, kept)
    return {finding: origin.get(pairs[finding], finding) if finding in pairs else finding for finding in after.findings}


def _compatible(findings: Iterable[Finding]) -> list[Finding]:
    """As many as can be fixed at once, the first ones first: none may touch what another one changes."""
    taken: list[Edit] = []
    chosen: list[Finding] = []
    for finding in findings:
        edits = finding.fix.edits if finding.fix else ()
        if not any(_collide(edit, other) for edit in edits for other in taken):
            taken += edits
            chosen.append(finding)
    return chosen


def _collide(one: Edit, other: Edit) -> bool:
    """Whether two edits touch; an edit that both want alike is no collision."""
    if one.path != other.path or one == other:
        return False
    if one.start == one.end or other.start == other.end:
        return one.start <= other.end and other.start <= one.end
    return one.start < other.end and other.start < one.end


def _settled(
    check: Check, check_all: Check | None, state: _State, batch: Sequence[Finding]
) -> tuple[_State, list[Finding], list[tuple[Finding, str]]]:
    """The state with all fixes of the batch that hold, those fixes, and the others with what is wrong with them.

    What does not hold together with others is neither: the next pass makes it anew, for the texts as they are then.
    """
    best = state
    kept: list[Finding] = []
    rejected: list[tuple[Finding, str]] = []
    pending = [list(batch)]
    while pending:
        group = pending.pop()
        tried, wrong = _tried(check, check_all, state, [*kept, *group])
        if tried is not None:
            best, kept = tried, [*kept, *group]
        elif len(group) == 1 and not kept:
            rejected.append((group[0], f"its fix was taken back: {wrong}"))
        elif len(group) > 1:
            half = len(group) // 2
            pending += [group[half:], group[:half]]
    return best, kept, rejected


def _tried(
    check: Check, check_all: Check | None, state: _State, findings: Sequence[Finding]
) -> tuple[_State | None, str]:
    """The state after the fixes of the findings; None and the reason where it is not as it should be."""
    changed: dict[str, str] = {}
    edits = [edit for finding in findings if finding.fix for edit in finding.fix.edits]
    for path in sorted({edit.path for edit in edits}):
        before = state.text(path)
        try:
            changed[path] = _edited(path, before, [edit for edit in edits if edit.path == path])
        except ValueError as error:
            return None, str(error)
        if wrong := _broken(path, before, changed[path]):
            return None, wrong
    overlay = {**state.overlay, **changed}
    report = check(overlay)
    wrong = _regression(state.report, report, findings)
    if wrong and check_all is not None:
        all_before = check_all(state.overlay)
        known = {finding.fingerprint for finding in findings}
        same = [one for one in all_before.findings if one.fingerprint in known]
        if len(same) == len(findings):
            wrong = _regression(all_before, check_all(overlay), same)
    return (None, wrong) if wrong else (_State(report, overlay), "")


def _edited(path: str, text: str, edits: Sequence[Edit]) -> str:
    """The text with the edits made, and without the imports that they leave unused.

    Raises ValueError where an edit does not fit the text, or two overlap.
    """
    return applied(text, [*edits, *_unused_imports(path, text, edits)])


def applied(text: str, edits: Iterable[Edit]) -> str:
    """The text with the edits made. Raises ValueError where one does not fit, or two overlap."""
    ordered = sorted(dict.fromkeys(edits), key=lambda edit: (edit.start, edit.end))
    for one, other in pairwise(ordered):
        if one.end > other.start:
            raise ValueError(f"its edits overlap in {one.path}")
    for edit in reversed(ordered):
        if text[edit.start : edit.end] != edit.expected:
            raise ValueError(f"its edits do not fit {edit.path}")
        text = text[: edit.start] + edit.replacement + text[edit.end :]
    return text


def _unused_imports(path: str, text: str, edits: Sequence[Edit]) -> list[Edit]:
    """What each fix alone could not know: that all of them together leave an import without use."""
    if not any(edit.expected.strip() for edit in edits):
        return []
    from leaklint.codemods import imports
    from leaklint.syntax import NotAnalysed, Syntax

    try:
        found = imports.unused(Syntax(path, text), edits)
    except NotAnalysed:
        return []
    return [one for one in found if not any(_collide(one, edit) for edit in edits)]


def _broken(path: str, before: str, after: str) -> str:
    """Why the new text is no Python; empty when it is. Syntax newer than the running Python is left to LibCST."""
    error = _compiled(path, after)
    if error is None:
        return ""
    if _compiled(path, before) is not None:
        from leaklint.syntax import NotAnalysed, Syntax

        try:
            Syntax(path, after)
        except NotAnalysed as reason:
            return f"{path} {reason}"
        return ""
    return f"{path} does not compile any more: {error}"


def _compiled(path: str, text: str) -> str | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(text, path, "exec", dont_inherit=True)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        return str(error) or type(error).__name__
    return None


def _regression(before: Report, after: Report, fixed: Sequence[Finding]) -> str:
    """What is worse, or no better, after the fixes; empty when all is well."""
    known = {(problem.path, problem.message) for problem in before.problems}
    for problem in after.problems:
        if (problem.path, problem.message) not in known:
            return f"{problem.path}: {problem.message}"
    pairs = _matched(before.findings, after.findings, fixed)
    stayed = set(pairs.values())
    for finding in fixed:
        if finding in stayed:
            return "the finding is still there"
    for finding in after.findings:
        if finding not in pairs and finding.family is not Family.SUPPRESSION:
            return f"it brings about `{finding.rule}` at {finding.span.path}:{finding.span.line}"
    return ""


def _matched(before: Sequence[Finding], after: Sequence[Finding], fixed: Sequence[Finding]) -> dict[Finding, Finding]:
    """For each finding of `after` the one it was in `before`; a fix may have changed its line and its statement."""
    pairs: dict[Finding, Finding] = {}
    old = sorted(before, key=lambda finding: finding in fixed)  # those that should be gone give way to the others
    keys: tuple[Callable[[Finding], object], ...] = (
        lambda finding: finding.fingerprint,
        lambda finding: (finding.rule, finding.subject, finding.writer),
        lambda finding: finding if finding in fixed else (finding.rule, finding.span.path, finding.writer),
    )
    for key in keys:
        open_: dict[object, list[Finding]] = {}
        matched = set(pairs.values())
        for finding in old:
            if finding not in matched:
                open_.setdefault(key(finding), []).append(finding)
        for finding in after:
            if finding not in pairs and (candidates := open_.get(key(finding))):
                pairs[finding] = candidates.pop(0)
    return pairs


# --- showing and writing -----------------------------------------------------------------------------------------


def _diff(root: Path, before: Texts, after: Texts) -> Iterator[str]:
    for path in sorted(after):
        name = Path(os.path.relpath(root / path)).as_posix()
        lines = difflib.unified_diff(_lines(before[path]), _lines(after[path]), name, name)
        for line in lines:
            yield line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"


def _lines(text: str) -> list[str]:
    """Lines with their ends, as `patch` counts them: only a line feed ends one."""
    return re.findall(r"[^\n]*\n|[^\n]+", text)


def write(root: Path, before: Texts, after: Texts, fixes: Sequence[Fix]) -> tuple[set[str], dict[str, Problem]]:
    """Write the new texts, each file whole or not at all, and files that share a fix together or not at all.

    A file that no longer holds `before` is left alone. Returns the paths written, and a problem for each that was not.
    """
    written: set[str] = set()
    failed: dict[str, Problem] = {}
    for unit in _units(after, fixes):
        problems = _write_unit(root, before, {path: after[path] for path in unit})
        if not problems:
            written |= unit
        for path in unit if problems else ():
            own = next((problem for problem in problems if problem.path == path), None)
            failed[path] = own or Problem(path, f"not written, because {problems[0].path} was not", problems[0].hint)
    return written, failed


def _units(paths: Iterable[str], fixes: Iterable[Fix]) -> list[set[str]]:
    """The files in groups that no fix crosses."""
    units = [{path} for path in sorted(paths)]
    for one in fixes:
        touched = {edit.path for edit in one.edits}
        joined = [unit for unit in units if unit & touched]
        units = [unit for unit in units if not unit & touched]
        units += [set().union(*joined)] if joined else []
    return units


class _Staged(Struct, frozen=True):
    """A file about to be replaced by the one that lies ready beside it."""

    path: str
    target: Path
    ready: Path
    old: bytes


def _write_unit(root: Path, before: Texts, after: Texts) -> list[Problem]:
    staged: list[_Staged] = []
    done: list[_Staged] = []
    try:
        for path in sorted(after):
            staged.append(_stage(root, path, before[path], after[path]))
        for one in staged:
            one.ready.replace(one.target)
            done.append(one)
    except _Unwritten as error:
        return [error.problem]
    except OSError as error:
        for one in done:
            one.target.write_bytes(one.old)
        failing = staged[len(done)].path
        return [Problem(failing, f"cannot be written: {error.strerror}", "check its permissions")]
    finally:
        for one in staged:
            one.ready.unlink(missing_ok=True)
    return []


class _Unwritten(Exception):  # noqa: N818  # carries a problem to report, not a failure of the program
    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


def _stage(root: Path, path: str, before: str, after: str) -> _Staged:
    """Lay the new content ready in the folder of the file that the path leads to. Raises _Unwritten."""
    target = (root / path).resolve()
    try:
        old = target.read_bytes()
        text, encoding = decode(old)
    except (OSError, SyntaxError, UnicodeError):
        text, encoding = "", ""
    if not encoding or text != before:
        raise _Unwritten(Problem(path, "changed since it was judged, and is left alone", "run leaklint again"))
    if not os.access(target, os.W_OK):
        raise _Unwritten(Problem(path, "cannot be written: it is read-only", "check its permissions"))
    try:
        content = after.encode(encoding)
    except UnicodeEncodeError as error:
        raise _Unwritten(
            Problem(path, f"cannot be written as {encoding}: {error.reason}", "save it as UTF-8")
        ) from None
    try:
        return _Staged(path, target, _beside(target, content), old)
    except OSError as error:
        raise _Unwritten(Problem(path, f"cannot be written: {error.strerror}", "check its folder")) from None


def _beside(target: Path, content: bytes) -> Path:
    """A new file in the target's folder with the content on disk and the target's mode and owner."""
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.", suffix=".tmp")
    ready = Path(name)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        now = target.stat()
        with contextlib.suppress(OSError, AttributeError):
            os.chown(ready, now.st_uid, now.st_gid)
        ready.chmod(stat.S_IMODE(now.st_mode))
    except BaseException:
        ready.unlink(missing_ok=True)
        raise
    return ready
