"""Summaries to the analysis of a program: split into units, each recalled or solved, and put together."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from functools import cache as cached
from functools import partial, reduce
from itertools import chain

from leaklint import indexing, models, reuse, sharing
from leaklint.analysis import Analysis, Asked, Statistics, added
from leaklint.cache import Cache
from leaklint.config import Config
from leaklint.files import SourceFile, package_around
from leaklint.indexing import Answer, Indexed
from leaklint.progress import Clock, Progress, silent
from leaklint.project import link, units
from leaklint.project.program import Program
from leaklint.project.units import Unit
from leaklint.solving import analysed, asked_of, named, quoted_in


def analyse(
    index: Indexed,
    files: Sequence[SourceFile],
    config: Config,
    clock: Clock,
    progress: Progress,
    cache: Cache | None,
    *,
    keep: bool,
) -> Analysis:
    """The analysis of the program that the files are; it is to `keep` what is found of its units."""
    with clock("link"):
        imported = _imported(index)
        sharing.announce(index.elsewhere, imported)
        loaded = _models(config, imported)
        program = link.program_of(index.modules, loaded, config.src, package_around(config.root))
        parts = units.units(program, loaded, link.own_modules(program, loaded, config.check_tests))
    solve = partial(analysed, models=loaded, config=config, clock=clock, progress=progress)
    found: list[Analysis] = []
    if len(parts) > 1:
        share_out = partial(
            sharing.solved, program, elsewhere=index.elsewhere, settings=imported, solve=partial(solve, alone=False)
        )
        found = _by_units(parts, _keys(parts, files, config, loaded), cache, share_out, keep=keep)
    if not any(analysis.takes_requests for analysis in found):
        near = frozenset[str]().union(*(unit.served for unit in parts))
        for share in index.elsewhere:
            share.want(sorted(near))
        found, parts = [solve(program, near, alone=True)], (Unit(program.modules, near),)
    if cache is not None:
        indexing.keep(cache, index)
    return _together(found, index, _asked(program, loaded, parts, found), clock.seconds, files)


def answer(files: Sequence[SourceFile], config: Config) -> Answer:
    """What solves the units that another process is asked for."""
    return partial(sharing.solved_there, {file.path: file for file in files}, cached(partial(_solver, config)))


def _solver(config: Config, imported: frozenset[str]) -> Callable[[Program, Collection[str]], Analysis]:
    """What solves a unit in another process."""
    loaded = _models(config, imported)
    return partial(analysed, models=loaded, config=config, clock=Clock(), progress=silent, alone=False)


def _by_units(
    parts: Sequence[Unit],
    keys: Sequence[tuple[str, list[SourceFile]]],
    cache: Cache | None,
    solved: Callable[[Sequence[Unit]], list[Analysis]],
    *,
    keep: bool,
) -> list[Analysis]:
    """The analyses of all units: as an earlier run has left them, the others as they are solved now."""
    kept = [reuse.recall_unit(cache, *key) if cache is not None else None for key in keys]
    new = iter(solved([unit for unit, known in zip(parts, kept, strict=True) if known is None]))
    found = [next(new) if known is None else known for known in kept]
    if cache is not None and keep:
        fresh = [number for number, known in enumerate(kept) if known is None]
        reuse.remember_units(cache, [(*keys[number], found[number]) for number in fresh])
    return found


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


def _asked(program: Program, loaded: models.Models, parts: Sequence[Unit], found: Sequence[Analysis]) -> Asked:
    """What was asked of files besides their code, by the units and before there were any."""
    read = {module.path for module in program.modules if module.summary.is_read}
    for unit, analysis in zip(parts, found, strict=True):
        read.update(module.path for module in unit.modules if module.path not in analysis.asked.unread)
    texts = asked_of(program)
    for analysis in found:
        for path in texts.keys() & analysis.asked.texts:
            there, missing = zip(texts[path], analysis.asked.texts[path], strict=True)
            texts[path] = tuple(dict.fromkeys(chain(*there))), tuple(dict.fromkeys(chain(*missing)))
    return Asked(
        words=frozenset(program.wanted).union(*(analysis.asked.words for analysis in found)),
        parameters=frozenset(loaded.shapes),
        class_names=frozenset(loaded.settings),
        heads=any(analysis.asked.heads for analysis in found),
        texts=texts,
        quoted=quoted_in(program),
        unread=frozenset([module.path for module in program.modules if module.path not in read]),
    )


def _together(
    found: Sequence[Analysis], index: Indexed, asked: Asked, seconds: dict[str, float], files: Sequence[SourceFile]
) -> Analysis:
    """The analysis of all files from those of the programs in them."""
    read = Statistics(
        files=len(index.modules),
        cached_files=len(index.kept),
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
        asked,
    )


def _imported(index: Indexed) -> frozenset[str]:
    """The packages that anything imports."""
    return frozenset(
        [i.module.partition(".")[0] for summary, _ in index.modules for i in summary.imports if not i.level]
    )


def _models(config: Config, imported: frozenset[str]) -> models.Models:
    own = [models.parse(path.read_text("utf-8"), str(path)) for path in config.models]
    if config.ids or config.sent_ids:
        own.append(models.Model("ids", concept={"id": config.ids}, sent=config.sent_ids))
    return models.select(imported, own)
