"""Look-ups for one row among many of its kind: a second one is one more of them, and nobody asks for the only one.

Takes what frames do with stores; says of a look-up and the write behind it whether the program adds such rows elsewhere
without looking first.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import takewhile

from msgspec import Struct, field

from leaklint.index.summary import Attr, Await, BlockKind, Call, Name, Return, Term
from leaklint.project.program import FunctionInfo, within
from leaklint.project.routes import Routes
from leaklint.project.spots import names
from leaklint.project.state import Frame
from leaklint.project.store_access import Access, Stores, results
from leaklint.project.stores import derived, holds
from leaklint.project.terms import Shape, calls_in
from leaklint.project.values import ClassValue

_CALLEES = 3  # calls below a write that are looked into


class ManyRows(Struct):
    """Who adds rows of a class without looking for one before, each class looked at once."""

    ways: Routes
    stores: Stores
    _adding: dict[ClassValue | str, list[tuple[FunctionInfo, Access]]] = field(default_factory=dict)

    def has(self, frame: Frame, read: Access, act: Access) -> bool:
        """Whether other code adds rows under all columns that are looked for, whatever there is already."""
        if read.row is None or not read.row.columns or self._is_single(read) or self._is_refused(frame.info, read):
            return False
        cls = read.row.cls
        if cls not in self._adding:
            self._adding[cls] = list(self._adding_unseen(cls))
        here = {frame.info, *_below(frame, act)}
        return any(info not in here and _gives_all(info, added, read) for info, added in self._adding[cls])

    def _is_single(self, read: Access) -> bool:
        """Whether a look-up fails where there are several rows."""
        wanted = self.stores.state.models.single
        return read.own is not None and any(name in wanted for name in _asked_of(read.doer, read.own))

    def _is_refused(self, info: FunctionInfo, read: Access) -> bool:
        """Whether who finds a row is turned away by an exception, so that the program relies on there being one."""
        made_of, function = results(self.stores.state, info, read), info.function
        for index, block in enumerate(function.blocks):
            if block.kind is BlockKind.IF and block.exits and block.term is not None:
                if names(block.term) & made_of or holds(block.term, read.call):
                    inside = (op for op in function.ops if within(function.blocks, op.block, index))
                    if not any(isinstance(op, Return) for op in inside):
                        return True
        return False

    def _adding_unseen(self, cls: ClassValue | str) -> Iterator[tuple[FunctionInfo, Access]]:
        for frame in self.ways.before:
            of_class = [a for a in self.stores.accesses(frame) if a.row is not None and a.row.cls == cls]
            if of_class and of_class[0].writes and not self.stores.is_safe(frame):
                for access in takewhile(lambda a: a.writes, of_class):
                    if not access.updates:
                        yield frame.info, access


def _asked_of(info: FunctionInfo, read: Call) -> Iterator[str]:
    """The names of the calls that a look-up goes on with, at once or by the local name of its result."""
    held = derived(info, read)
    for op in info.function.ops:
        for call in calls_in((op,)):
            if isinstance(call.func, Attr) and (call == read or _goes_on(call.func, read, held)):
                yield call.func.name


def _goes_on(term: Term, read: Call, held: set[str]) -> bool:
    while isinstance(term, (Call, Attr, Await)) and term != read:
        term = term.value if isinstance(term, Await) else term.base if isinstance(term, Attr) else term.func
    return term == read or (isinstance(term, Name) and term.id in held)


def _below(frame: Frame, act: Access) -> set[FunctionInfo]:
    """The functions that a write is done by, when it is not the frame's own."""
    found: set[FunctionInfo] = set()
    nearest = list(frame.made[act.call.order].targets)
    for _ in range(_CALLEES):
        found.update(target.info for target in nearest)
        nearest = [inner for target in nearest for made in target.made.values() for inner in made.targets]
    return found


def _gives_all(info: FunctionInfo, added: Access, read: Access) -> bool:
    """Whether an added row is given a value for each column, as far as that depends on who adds it."""
    assert read.row is not None
    given = {_plain(column) for column, value in added.fills if _is_given(info, value)}
    return given.issuperset(map(_plain, read.row.columns))


def _is_given(info: FunctionInfo, value: Shape) -> bool:
    match value:
        case ("const", *_):
            return False
        case ("param", index, path, _):
            return index == info.function.index and path == info.module.path  # else a callee's default
        case _:
            return True


def _plain(column: str) -> str:
    return column.removesuffix("_id")
