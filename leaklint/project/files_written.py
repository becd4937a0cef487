"""Files under one name for all requests, written with request data and read back by the same request.

A file that is read before it is written is a store, and one that is only added to is a log: neither is told. Nothing
here opens a file.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import NamedTuple

from msgspec import Struct, field

from leaklint.finding import Span
from leaklint.index.summary import (
    Attr,
    Bind,
    Blend,
    BlockKind,
    Call,
    Choice,
    Const,
    Display,
    Name,
    Return,
    Term,
    Test,
)
from leaklint.models import CallModel
from leaklint.project import evaluate
from leaklint.project.asking import arguments, value_of
from leaklint.project.fixed_paths import fixed_path, given
from leaklint.project.program import FunctionInfo, ancestors
from leaklint.project.routes import Routes
from leaklint.project.schedule import Schedule
from leaklint.project.state import Frame, Made, State
from leaklint.project.suspect import Access, FileSuspect, Strength, Use
from leaklint.project.values import Taint

_UP, _DOWN = 4, 3  # calls that are followed from a write to its callers, and from these to where it is read


class _Write(NamedTuple):
    frame: Frame
    made: Made
    path: str
    taints: frozenset[Taint]
    value: int  # range of what is written; 0 when it is not one expression


class _Read(NamedTuple):
    frame: Frame
    position: int
    order: int
    span: int


class _Program(Struct):
    """What is read where; worked out for the names that are written."""

    state: State
    wanted: set[str]
    reads: dict[Frame, dict[str, list[_Read]]] = field(default_factory=dict)

    def of(self, frame: Frame) -> dict[str, list[_Read]]:
        """The reads in the body of a frame, by name."""
        if frame not in self.reads:
            found: dict[str, list[_Read]] = defaultdict(list)
            for path, read in _reads(self.state, frame, self.wanted):
                found[path].append(read)
            self.reads[frame] = found
        return self.reads[frame]

    def below(self, frame: Frame, path: str, depth: int = _DOWN) -> _Read | None:
        """A read of a name in a frame or in what it calls."""
        own = self.of(frame).get(path)
        if own:
            return own[0]
        if depth:
            for made in frame.made.values():
                for target in made.targets:
                    if target is not frame and (found := self.below(target, path, depth - 1)):
                        return found
        return None


def files_written(s: State, ways: Routes, plan: Schedule) -> list[FileSuspect]:
    """All suspects of this kind, in order of path and line."""
    writes = [w for frame in ways.before for made in list(frame.made.values()) if (w := _write(s, frame, made))]
    program = _Program(s, {w.path for w in writes})
    found: dict[tuple[FunctionInfo, str], FileSuspect] = {}
    for write in sorted(writes, key=lambda w: (ways.distance[w.frame], w.frame.info.module.path, w.made.term.span)):
        if _is_guarded(s, write):
            continue
        earlier, later = _around(program, write)
        if later is not None and not earlier:
            found.setdefault((write.frame.info, write.path), _suspect(ways, plan, write, later))
    return sorted(found.values(), key=lambda f: f.span)


# --- writes ---------------------------------------------------------------------------------------------------------


def _write(s: State, frame: Frame, made: Made) -> _Write | None:
    model = _writer(s, made)
    if model is None:
        return None
    term = made.term
    path_term = given(term, model.writes_file)
    if path_term is None or (model.file_mode and not _is_overwriting(given(term, model.file_mode))):
        return None
    path = fixed_path(s, frame, path_term, made.position)
    if not path:
        return None
    for value, at in _written(frame, made, path_term):
        taints = evaluate.carried(s, None, value_of(s, frame, value, at))
        if taints:
            return _Write(frame, made, path, taints, getattr(value, "span", 0))
    return None


def _writer(s: State, made: Made) -> CallModel | None:
    """The model of a call that names a file to write; by its last name alone where nobody knows the receiver."""
    for name in made.external:
        model = s.models.call(name)
        if model is not None and model.writes_file:
            return model
    if not made.external and not made.targets and isinstance(made.term.func, Attr):
        return s.models.writing.get(made.term.func.name)
    return None


def _is_overwriting(mode: Term | None) -> bool:
    return isinstance(mode, Const) and isinstance(mode.value, str) and bool({"w", "x"} & set(mode.value))


def _written(frame: Frame, made: Made, path: Term) -> Iterator[tuple[Term, int]]:
    """What goes into the file: the other arguments of the call, and what is written to the handle it gives."""
    term = made.term
    yield from ((a, made.position) for a in arguments(term) if a is not path and not isinstance(a, Const))
    if isinstance(term.func, Attr) and term.func.base is not path:
        yield term.func.base, made.position
    op = frame.info.function.ops[made.position]
    if not isinstance(op, Bind) or not isinstance(op.target, Name):
        return
    handle = op.target.id
    for other in list(frame.made.values()):
        call = other.term
        on_it = isinstance(call.func, Attr) and _is_name(call.func.base, handle)
        if on_it or any(_is_name(a, handle) for a in arguments(call)):
            yield from ((a, other.position) for a in arguments(call) if not _is_name(a, handle))


def _is_name(term: Term, name: str) -> bool:
    return isinstance(term, Name) and term.id == name


def _is_guarded(s: State, write: _Write) -> bool:
    """Whether it is written only where a test has asked for the file."""
    function = write.frame.info.function
    op = function.ops[write.made.position]
    around = (function.blocks[index] for index in ancestors(function.blocks, op.block))
    tests = [b.term for b in around if b.kind in (BlockKind.IF, BlockKind.ELSE) and b.term is not None]
    named = (path for test in tests for path, _ in _named(s, write.frame, test, write.made.position))
    return write.path in named


# --- reads ----------------------------------------------------------------------------------------------------------


def _reads(s: State, frame: Frame, wanted: set[str]) -> Iterator[tuple[str, _Read]]:
    for made in list(frame.made.values()):
        model = _writer(s, made)
        if model is not None and (not model.file_mode or _mode(given(made.term, model.file_mode)) != "r"):
            continue
        known = [m for name in made.external if (m := s.models.call(name)) is not None]
        if any(m.log or m.path or (m.gives == "neutral" and not m.writes_file) for m in known):
            continue
        for term in (*arguments(made.term), *_receiver(made.term)):
            for path, span in _named(s, frame, term, made.position, deep=False):
                if path in wanted:
                    yield path, _Read(frame, made.position, made.term.order, made.term.span or span)
    for position, op in enumerate(frame.info.function.ops):
        if isinstance(op, Return):
            for path, span in _named(s, frame, op.value, position):
                if path in wanted:
                    yield path, _Read(frame, position, op.order, span or op.span)


def _mode(mode: Term | None) -> str:
    if mode is None:
        return "r"
    return mode.value[:1] if isinstance(mode, Const) and isinstance(mode.value, str) else ""


def _receiver(term: Call) -> list[Term]:
    return [term.func.base] if isinstance(term.func, Attr) else []


def _named(s: State, frame: Frame, term: Term, at: int, *, deep: bool = True) -> Iterator[tuple[str, int]]:
    """The fixed names of files in a term, with their ranges; of calls in it only when `deep`."""
    path = fixed_path(s, frame, term, at)
    if path:
        yield path, getattr(term, "span", 0)
        return
    match term:
        case Display(values=parts):
            inner: tuple[Term, ...] = parts
        case Call() if deep:
            inner = (*arguments(term), *_receiver(term))
        case Test(parts=parts) | Choice(parts=parts) | Blend(parts=parts) if deep:
            inner = parts
        case _:
            return
    for part in inner:
        yield from _named(s, frame, part, at, deep=deep)


# --- before and after -----------------------------------------------------------------------------------------------


def _around(program: _Program, write: _Write) -> tuple[bool, _Read | None]:
    """Whether the request reads the file before it writes it, and where it does so afterwards."""
    later: _Read | None = None
    level = {(write.frame, write.made.term.order)}
    seen: set[Frame] = set()
    for _ in range(_UP):
        above: set[tuple[Frame, int]] = set()
        for frame, order in level:
            for at, read in _steps(program, frame, write.path):
                if at < order and read.span != write.made.term.span:
                    return True, None
                if at > order and later is None:
                    later = read
            seen.add(frame)
            for caller in frame.callers:
                if caller not in seen and caller.phase is write.frame.phase:
                    above.update((caller, o) for o, m in caller.made.items() if frame in m.targets)
        level = above
    return False, later


def _steps(program: _Program, frame: Frame, path: str) -> Iterator[tuple[int, _Read]]:
    """Reads of a name with the order of the step of the frame in which they happen."""
    for read in program.of(frame).get(path, ()):
        yield read.order, read
    for order, made in sorted(frame.made.items()):
        for target in made.targets:
            below = program.below(target, path) if target is not frame else None
            if below is not None:
                yield order, below


# --- one suspect a name and function --------------------------------------------------------------------------------


def _suspect(ways: Routes, plan: Schedule, write: _Write, read: _Read) -> FileSuspect:
    frame, info = write.frame, write.frame.info
    module, term = info.module, write.made.term
    op = info.function.ops[write.made.position]
    strongest = max(write.taints, key=lambda t: (t.strength is Strength.IDENTITY, t.concept))
    there = read.frame.info.module
    return FileSuspect(
        function=info.qualname,
        span=module.span(term.span),
        statement=module.span(op.span),
        route=ways.route(frame),
        path=write.path,
        text=module.source(term.span),
        value=module.source(write.value) if write.value else "",
        strength=strongest.strength,
        concept=strongest.concept,
        reader=Use(
            Access.READ,
            there.span(read.span),
            there.span(read.frame.info.function.ops[read.position].span),
            read.frame.info.qualname,
            True,
        ),
        reading=there.source(read.span),
        suspends=_between(plan, write, read),
    )


def _between(plan: Schedule, write: _Write, read: _Read) -> Span | None:
    if read.frame is not write.frame:
        return None
    wait = plan.between(write.frame, write.made.term.order, read.order)
    return write.frame.info.module.span(wait.span) if wait is not None else None
