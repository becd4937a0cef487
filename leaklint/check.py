"""Files to findings: index, link, split into units, and of each of those what an earlier run or solving it gives."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from itertools import chain

from leaklint import indexing, models, reuse
from leaklint.analysis import Analysis, Statistics, added
from leaklint.cache import Cache
from leaklint.config import Config
from leaklint.files import SourceFile, package_around
from leaklint.indexing import Indexed
from leaklint.progress import Progress, silent
from leaklint.project import link, units
from leaklint.project.program import Module, Program
from leaklint.project.units import Unit
from leaklint.solving import Clock, analysed, named


def check(
    files: Sequence[SourceFile],
    config: Config,
    progress: Progress = silent,
    *,
    cache: Cache | None = None,
    jobs: int = 1,
    keep: bool = True,
) -> Analysis:
    """Analyse one program, everything in `files` together, by at most `jobs` processes.

    What the cache holds of files and of units is used; it is to `keep` what is found of units.
    """
    clock = Clock()
    with indexing.roomy():
        progress("indexing", 0, len(files))
        with clock("index"):
            index = indexing.index(files, cache, jobs, progress)
        progress("linking", 0, 0)
        with clock("link"):
            loaded = _models(config, index)
            program = link.program_of(index.modules, loaded, config.src, package_around(config.root))
            parts = units.units(program, loaded, link.own_modules(program, loaded, config.check_tests))

        def solve(program: Program, near: frozenset[str], alone: bool) -> Analysis:
            return analysed(program, near, loaded, config, clock, progress, alone)

        found: list[Analysis] = []
        if len(parts) > 1:
            keys = _keys(parts, files, config, loaded)
            with clock("recall"):
                kept = [reuse.recall_unit(cache, key, part) if cache is not None else None for key, part in keys]
            found = [
                old or solve(_apart(program, unit), unit.served, False) for old, unit in zip(kept, parts, strict=True)
            ]
            if cache is not None and keep:
                reuse.remember_units(
                    cache, [(*key, new) for key, old, new in zip(keys, kept, found, strict=True) if not old]
                )
        if not any(analysis.takes_requests for analysis in found):
            found = [solve(program, frozenset().union(*(unit.served for unit in parts)), True)]
    return _together(found, index, clock.seconds, files)


def _keys(
    parts: Sequence[Unit], files: Sequence[SourceFile], config: Config, loaded: models.Models
) -> list[tuple[str, list[SourceFile]]]:
    """What the analysis of each unit is kept under, and the files that it rests on."""
    by_path = {file.path: file for file in files}
    members = [[by_path[module.path] for module in unit.modules] for unit in parts]
    return [
        (reuse.unit_key(own, config, (*loaded.names, "", *sorted(unit.served))), own)
        for unit, own in zip(parts, members, strict=True)
    ]


def _apart(program: Program, unit: Unit) -> Program:
    """A unit as a program of its own: what is worked out about a module there is not known elsewhere."""
    modules = tuple([Module(module.summary, module.text) for module in unit.modules])
    return Program(modules, program.roots, program.libraries, program.package)


def _together(
    found: Sequence[Analysis], index: Indexed, seconds: dict[str, float], files: Sequence[SourceFile]
) -> Analysis:
    """The analysis of all files from those of the programs in them."""
    read = Statistics(
        files=len(index.modules),
        cached_files=index.cached,
        lines=sum(summary.lines for summary, _ in index.modules),
        functions=sum(summary.head.count for summary, _ in index.modules),
        seconds=seconds,
    )
    unread = named(index.problems, [file.path for file in files])
    return Analysis(
        tuple(chain.from_iterable(analysis.findings for analysis in found)),
        (*index.problems, *chain.from_iterable(analysis.problems for analysis in found)),
        reduce(added, (analysis.statistics for analysis in found), read),
        frozenset(unread).union(*(analysis.consulted for analysis in found)),
        any(analysis.takes_requests for analysis in found),
    )


def _models(config: Config, index: Indexed) -> models.Models:
    imported = {i.module.partition(".")[0] for summary, _ in index.modules for i in summary.imports if not i.level}
    own = [models.parse(path.read_text("utf-8"), str(path)) for path in config.models]
    if config.ids or config.sent_ids:
        own.append(models.Model("ids", concept={"id": config.ids}, sent=config.sent_ids))
    return models.select(imported, own)
