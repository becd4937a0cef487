"""Units to their analyses: by the processes that have lowered most of each, or by this one alone.

Which process solved a unit cannot be seen in the outcome.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import partial

from leaklint import workers
from leaklint.analysis import Analysis
from leaklint.files import SourceFile
from leaklint.finding import Problem
from leaklint.index import Head, ModuleSummary
from leaklint.indexing import UNITS, Share, summarised_again
from leaklint.project.program import Module, Program
from leaklint.project.units import Unit

_MOVED = 0.2  # of what lowering and solving a line costs, what comes to it where another process has parsed it


def announce(elsewhere: Sequence[Share], settings: object) -> None:
    """Tell other processes what they will need to know, so that they have it when they are asked to solve."""
    for share in elsewhere if workers.FORKS else ():
        share.tell(UNITS, settings)


def solved(
    program: Program,
    units: Sequence[Unit],
    elsewhere: Sequence[Share],
    settings: object,
    solve: Callable[[Program, Collection[str]], Analysis],
) -> list[Analysis]:
    """The analyses of units of a program, in their order.

    Args:
        program: holds the modules of all units, and what they have in common.
        units: what to solve, each as a program by itself.
        elsewhere: processes that may take part.
        settings: as they were announced.
        solve: a program and the paths of the modules in it that run beside requests, to its analysis.
    """
    able = [share for share in elsewhere if not share.is_busy] if workers.FORKS else []  # others know their files only
    owners, loads = _owners(units, able)
    for share in able:
        if loads[share] < loads[None]:  # who has more to do is not kept from it: the code is read here again
            share.want(p for number, unit in enumerate(units) if number not in owners for p in sorted(unit.served))
    for share in elsewhere:
        orders = [_order(share, number, units[number]) for number, owner in owners.items() if owner is share]
        if orders:
            share.ask(UNITS, settings, program.roots, program.libraries, program.package, orders)
    found: dict[int, Analysis] = {}
    for number in sorted(range(len(units)), key=owners.__contains__):  # those that are solved here come first
        sent = owners[number].answer(number) if number in owners else None
        found[number] = sent[0] if sent is not None else solve(_apart(program, units[number]), units[number].served)
    for share in elsewhere:
        share.is_busy = False
    return [found[number] for number in range(len(units))]


def _owners(units: Sequence[Unit], shares: Sequence[Share]) -> tuple[dict[int, Share], dict[Share | None, float]]:
    """The units that are to be solved elsewhere, by number, and by whom: so that all have about the same to do."""
    loads: dict[Share | None, float] = dict.fromkeys((None, *shares), 0.0)
    owners: dict[int, Share] = {}
    sizes = [[(m.path, m.summary.lines) for m in unit.modules if m.path in unit.served] for unit in units]
    for number in sorted(range(len(units)), key=lambda number: -sum(lines for _, lines in sizes[number])):
        costs = {owner: load + _cost(sizes[number], owner, shares) for owner, load in loads.items()}
        best = min(costs, key=costs.__getitem__)
        loads[best] = costs[best]
        if best is not None:
            owners[number] = best
    return owners, loads


def _cost(sizes: Iterable[tuple[str, int]], owner: Share | None, shares: Sequence[Share]) -> float:
    """What it costs to solve modules, in lines, with what it takes to have their code there."""

    def is_moved(path: str) -> bool:
        return any(path in share.files for share in shares) if owner is None else path not in owner.files

    return sum(lines * (1 + _MOVED * is_moved(path)) for path, lines in sizes)


def _apart(program: Program, unit: Unit) -> Program:
    """A unit as a program of its own: what is worked out about a module there is not known elsewhere."""
    modules = tuple([Module(module.summary, module.text) for module in unit.modules])
    return Program(modules, program.roots, program.libraries, program.package)


# --- in another process -----------------------------------------------------------------------------------------------

_Order = tuple[int, list[tuple[str, Head | None]], frozenset[str]]  # a unit's number; of files lowered there no heads


def _order(share: Share, number: int, unit: Unit) -> _Order:
    heads = [(m.path, None if m.path in share.files else m.summary.head) for m in unit.modules]
    return number, heads, unit.served


def solved_there(
    files: Mapping[str, SourceFile],
    solver: Callable[[object], Callable[[Program, Collection[str]], Analysis]],
    found: Mapping[str, ModuleSummary | Problem],
    settings: object,
    roots: tuple[tuple[str, ...], ...] = (),
    libraries: frozenset[str] = frozenset(),
    package: tuple[str, ...] = (),
    orders: Iterable[_Order] = (),
) -> Iterator[tuple[int, Analysis]]:
    """The units that were ordered, solved; `solver` is told the settings, `found` is what was lowered there."""
    solve = solver(settings)
    for number, heads, served in orders:
        modules = [Module(_summary(files[path], head, found), files[path].text) for path, head in heads]
        yield number, solve(Program(tuple(modules), roots, libraries, package), served)


def _summary(file: SourceFile, head: Head | None, found: Mapping[str, ModuleSummary | Problem]) -> ModuleSummary:
    known = found.get(file.path)
    if isinstance(known, ModuleSummary):
        return known
    assert head is not None
    return ModuleSummary(head, partial(summarised_again, file))
