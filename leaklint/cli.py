"""The command line: parse, call, print, exit.

What a run does is in `run`, how it looks in `render`. Modules are imported where they are used, so that `--version`,
`--help` and completions never wait for the analysis.
"""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO, TypeVar

import click

from leaklint import __version__
from leaklint.errors import UserError, did_you_mean

if TYPE_CHECKING:
    from leaklint.cache import Cache
    from leaklint.config import Config
    from leaklint.finding import Finding, Problem, Severity
    from leaklint.fix import Ask, Outcome
    from leaklint.progress import Progress
    from leaklint.render import Output, View
    from leaklint.run import Report

CLEAN, FOUND, USAGE, UNCHECKED, INTERNAL, INTERRUPTED = 0, 1, 2, 3, 4, 130

F = TypeVar("F", bound=Callable[..., object])


class Shell(click.Group):
    """The group of commands, with every failure as one line, a hint and the exit code that says whose it is."""

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        **extra: Any,
    ) -> Any:
        try:
            code = super().main(args, prog_name, complete_var, standalone_mode=False, **extra)
        except (click.Abort, KeyboardInterrupt):
            code = _complain(INTERRUPTED, "interrupted", "")
        except Exception as error:
            code = _failure(error)
        sys.exit(code if isinstance(code, int) else CLEAN)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if self.get_command(ctx, args[0]) is None and not args[0].startswith("-"):
            raise UserError(f"no such command: {args[0]}", did_you_mean(args[0], self.commands))
        return super().resolve_command(ctx, args)


def _failure(error: Exception) -> int:
    match error:
        case UserError():
            return _complain(USAGE, error.message, error.hint)
        case click.exceptions.NoSuchOption():
            message = f"no such option: {error.option_name}"
            return _complain(USAGE, message, did_you_mean(error.option_name, error.possibilities or (), _SEE_HELP))
        case click.ClickException():
            return _complain(USAGE, error.format_message(), _SEE_HELP)
    if os.environ.get("LEAKLINT_DEBUG"):
        raise error
    message = f"internal error: {type(error).__name__}: {error}"
    return _complain(INTERNAL, message, "please report it; LEAKLINT_DEBUG=1 shows where it happened")


_SEE_HELP = "`--help` lists the options"
_CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


def _version(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    if not wanted or ctx.resilient_parsing:
        return
    click.echo(f"leaklint {__version__}")
    ctx.exit()


@click.group(cls=Shell, context_settings=_CONTEXT, invoke_without_command=True)
@click.option("--version", is_flag=True, is_eager=True, expose_value=False, callback=_version, help="Show the version.")
@click.pass_context
def cli(ctx: click.Context) -> None:
    """Find the bugs by which one user of a Python server gets another user's data.

    The whole project is analysed without being imported or run; nothing is sent anywhere.
    """
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help(), err=True)
        ctx.exit(USAGE)


def main() -> None:
    """The entry point of the `leaklint` command; it ends the process.

    What a check has built up stays until then, and the system takes it back at once: neither collecting garbage on the
    way nor taking millions of objects apart at the end is worth the third of a run that it costs.
    """
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")  # a terminal that knows few characters is no reason to fail
    gc.disable()
    try:
        cli()
    except SystemExit as end:
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError):
                stream.flush()
        os._exit(end.code if isinstance(end.code, int) else CLEAN)


# --- options -----------------------------------------------------------------------------------------------------


_PATHS = click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
_CONFIG = (
    click.option(
        "--config", "config_file", type=click.Path(path_type=Path), metavar="FILE", help="Read this configuration."
    ),
    click.option("--isolated", is_flag=True, help="Read no configuration."),
)
_RULES = (
    click.option("--select", multiple=True, metavar="RULE|FAMILY", help="Only these, whatever the configuration says."),
    click.option("--ignore", multiple=True, metavar="RULE|FAMILY", help="Leave these out as well."),
    click.option("--min-confidence", type=click.Choice(["high", "medium", "low"]), help="Default: medium."),
    click.option(
        "--fail-level", type=click.Choice(["leak", "race", "trace"]), help="Least severity that fails. Default: trace."
    ),
    click.option("--exit-zero", is_flag=True, help="Do not fail because of findings."),
)
_CACHE = (
    click.option("--no-cache", is_flag=True, help="Neither use nor keep what a run has found out."),
    click.option(
        "--cache-dir",
        type=click.Path(path_type=Path, file_okay=False),
        metavar="FOLDER",
        help="Default: LEAKLINT_CACHE_DIR, else .leaklint_cache in the project.",
    ),
)
_WORK = (
    *_CACHE,
    click.option(
        "-j", "--jobs", type=click.IntRange(min=1), metavar="N", help="Processes at a time. Default: one a processor."
    ),
)
_TALK = (
    click.option("--color/--no-color", default=None, help="Default: colours on a terminal, unless NO_COLOR is set."),
    click.option("--no-progress", is_flag=True, help="No status line on a terminal."),
    click.option("-v", "--verbose", is_flag=True, help="Say which configuration and files were used."),
    click.option("-q", "--quiet", is_flag=True, help="Findings and errors only."),
)


def _options(*groups: Sequence[Callable[[F], F]]) -> Callable[[F], F]:
    def decorate(function: F) -> F:
        for option in reversed([option for group in groups for option in group]):
            function = option(function)
        return function

    return decorate


# --- check -------------------------------------------------------------------------------------------------------


@cli.command(short_help="Report what leaks from one request to another.")
@_PATHS
@click.option(
    "--output-format",
    "formats",
    multiple=True,
    metavar="FORMAT[:FILE]",
    help="full (default), concise or json; repeatable.",
)
@_options(_RULES, _CONFIG)
@click.option("--full-trace", is_flag=True, help="Show every call of a trace.")
@click.option("--statistics", is_flag=True, help="Show what was analysed, and how long each stage took.")
@_options(_WORK, _TALK)
@click.pass_context
def check(ctx: click.Context, /, paths: tuple[Path, ...], formats: tuple[str, ...], **options: Any) -> None:
    """Report leaks, races and lost ids that touch PATHS.

    The program analysed is always the whole project (the folder of the nearest leaklint.toml or pyproject.toml with
    [tool.leaklint], else the git repository, else the given folder); PATHS choose what is reported of it. A path that
    the configuration excludes is analysed as a program of its own.

    Exit code: 0 clean, 1 findings, 2 wrong usage or configuration, 3 nothing to check or a file that could not be
    checked, 4 an error of leaklint itself.
    """
    from leaklint import render
    from leaklint.run import run

    wanted = render.outputs(formats or ("full",))
    view = _view(options)
    try:
        config = _config(paths, options)
        with _progress(options) as progress:
            report = run(paths, config, progress, cache=_cache(config, options), jobs=_jobs(options))
    except UserError as error:
        _write([output for output in wanted if output.format not in render.FOR_PEOPLE], _failed(error), view)
        raise
    if options["verbose"]:
        _say_what_was_done(config, report)
    _write(wanted, report, view)
    ctx.exit(_exit_code(report.findings, report.problems, config.fail_level, options["exit_zero"]))


def _failed(error: UserError) -> Report:
    """A report that holds a user's mistake, for formats that machines read."""
    from leaklint.finding import Problem
    from leaklint.run import Report

    return Report((), (), (Problem("", error.message, error.hint),), None, Path.cwd(), {})


def _write(outputs: Sequence[Output], report: Report, view: View) -> None:
    from msgspec.structs import replace

    from leaklint.render import render

    for output in outputs:
        if output.file is None:
            _print(render(output.format, report, view))
        else:
            _write_file(output.file, render(output.format, report, replace(view, color=False)))


def _write_file(file: Path, text: str) -> None:
    try:
        file.write_text(text, "utf-8", errors="backslashreplace")
    except OSError as error:
        raise UserError(
            f"{file}: cannot be written: {error.strerror}", "check the folder and its permissions"
        ) from None


def _exit_code(findings: Sequence[Finding], problems: Sequence[Problem], fail_level: Severity, exit_zero: bool) -> int:
    if any(problem.internal for problem in problems):
        return INTERNAL
    if problems:
        return UNCHECKED  # "could not check" is never success, and says more than "found"
    from leaklint.finding import Severity

    levels = list(Severity)  # the worst first
    failing = [finding for finding in findings if levels.index(finding.severity) <= levels.index(fail_level)]
    return FOUND if failing and not exit_zero else CLEAN


# --- fix ---------------------------------------------------------------------------------------------------------


@cli.command(short_help="Show how findings can be mended, or mend them.")
@_PATHS
@click.option("--diff", is_flag=True, help="Show the changes and write none, as without --apply.")
@click.option("--apply", is_flag=True, help="Write the changes instead of showing them.")
@click.option("--unsafe-fixes", "unsafe", is_flag=True, help="Take in the suggested fixes, which may change behaviour.")
@click.option("--interactive", is_flag=True, help="Ask about each fix, and write those agreed to (with --diff, none).")
@_options(_RULES, _CONFIG, _WORK, _TALK)
@click.pass_context
def fix(
    ctx: click.Context,
    /,
    paths: tuple[Path, ...],
    diff: bool,
    apply: bool,
    unsafe: bool,
    interactive: bool,
    **options: Any,
) -> None:
    """Show, as a diff, how the findings that touch PATHS can be mended; with --apply, mend them.

    Exit code: 0 nothing is left to mend, 1 findings are left, and 2, 3 and 4 as for `check`.
    """
    if diff and apply:
        raise UserError("--diff and --apply cannot go together", "--diff shows the changes, --apply writes them")
    config = _config(paths, options)
    from leaklint import fix as fixes

    selected, apply = _names(options["select"]), apply or (interactive and not diff)
    ask = _asker(config.root, _view(options)) if interactive else None
    with _progress({**options, "no_progress": options["no_progress"] or interactive}) as progress:
        outcome = fixes.fix(
            config.root,
            config,
            paths,
            unsafe=unsafe,
            select=selected,
            apply=apply,
            progress=progress,
            ask=ask,
            cache=_cache(config, options),
            jobs=_jobs(options),
        )
    _print("".join(_outcome(outcome, apply, config.root, _view(options))))
    left = [finding for finding, _ in outcome.left] + ([] if apply else list(outcome.fixed))
    ctx.exit(_exit_code(left, outcome.problems, config.fail_level, options["exit_zero"]))


def _asker(root: Path, view: View) -> Ask:
    """Shows a finding and its fix on the terminal, and reads what to do with it."""
    from leaklint.fix import Answer
    from leaklint.render.cells import plain
    from leaklint.render.summary import shown_span

    def ask(finding: Finding, diff: str) -> Answer:
        title = f": {finding.fix.title} ({finding.fix.safety.value})" if finding.fix else ""
        click.echo(f"{shown_span(root, view, finding.span)}: {finding.rule}: {plain(finding.message)}")
        click.echo("".join(_painted(diff, view)), nl=False)
        while True:
            click.echo(f"mend it{plain(title)} [y]es, [n]o, [a]ll, [q]uit? ", nl=False)
            line = sys.stdin.readline()
            said = line.strip().lower() if line else Answer.QUIT.value  # at the end of the input nobody is asked
            if answers := [answer for answer in Answer if said and answer.value.startswith(said)]:
                return answers[0]

    return ask


def _painted(diff: str, view: View) -> Iterator[str]:
    from leaklint.render.cells import Style, styled

    styles = {"+": Style.ADDED, "-": Style.REMOVED, "@": Style.CODE}
    for line in diff.splitlines(keepends=True):
        body = line.rstrip("\r\n")
        yield styled(body, styles[line[0]], view.color) + line[len(body) :] if line[0] in styles else line


def _outcome(outcome: Outcome, applied: bool, root: Path, view: View) -> Iterator[str]:
    from leaklint.render.cells import plain
    from leaklint.render.summary import problem_lines, shown_span

    verb = "mended" if applied else "can be mended"
    yield from _painted(outcome.diff, view) if not applied else ()
    for finding in outcome.fixed if not view.quiet else ():
        title = f": {finding.fix.title}" if finding.fix and finding.fix.title else ""
        yield f"{verb}: {shown_span(root, view, finding.span)}: {finding.rule}{plain(title)}\n"
    for finding, reason in outcome.left:
        yield f"left: {shown_span(root, view, finding.span)}: {finding.rule}: {plain(reason)}\n"
    for line in problem_lines(outcome.problems, root, view):
        yield f"{line}\n"
    if view.quiet:
        return
    count = len(outcome.changed)
    yield f"{len(outcome.fixed)} {verb} in {count} file{'s' * (count != 1)}, {len(outcome.left)} left\n"
    if outcome.fixed and not applied:
        yield "next: add `--apply` to write the changes\n"


# --- explain, rules, config --------------------------------------------------------------------------------------


@cli.command(short_help="Print the page of a rule.")
@click.argument("rule")
@click.option("--output-format", type=click.Choice(["text", "json", "markdown"]), default="text")
@click.option("--color/--no-color", default=None)
def explain(rule: str, output_format: str, color: bool | None) -> None:
    """Print the page of RULE: what it finds, why that leaks, an example, what to write instead."""
    from leaklint import pages

    page = pages.page(rule)
    if output_format == "json":
        _print(_json({**_row(page), "sections": dict(page.sections)}))
    else:
        _print(page.markdown if output_format == "markdown" else pages.text(page, _color(color)))


@cli.command(short_help="List the rules.")
@click.option("--output-format", type=click.Choice(["text", "json", "markdown"]), default="text")
@click.option("--color/--no-color", default=None)
def rules(output_format: str, color: bool | None) -> None:
    """List the rules with their severity, their kind of fix and their family."""
    from leaklint import pages

    every = pages.pages()
    if output_format == "json":
        _print(_json([_row(page) for page in every]))
    else:
        _print(pages.table(every) if output_format == "markdown" else pages.listing(every, _color(color)))


@cli.command(short_help="Remove what earlier runs have kept.")
@_PATHS
@_options(_CONFIG, _CACHE[1:])
def clean(paths: tuple[Path, ...], config_file: Path | None, isolated: bool, cache_dir: Path | None) -> None:
    """Remove the cache that `check` of the same PATHS would use."""
    from leaklint import cache
    from leaklint.config import discover, home

    removed = cache.clean(home(discover(paths, file=config_file, isolated=isolated)), cache_dir)
    _print(f"removed: {removed}\n" if removed else "nothing to remove\n")


@cli.command("config", short_help="Show the settings in force and the files analysed.")
@_PATHS
@click.option("--show", is_flag=True, help="Print the effective settings (the default).")
@_options(_CONFIG)
def config_command(paths: tuple[Path, ...], show: bool, **options: Any) -> None:
    """Show the project root, the configuration file, the effective settings and what would be analysed."""
    from collections import Counter

    from leaklint import rule
    from leaklint.config import check_config_names, discover
    from leaklint.files import collect
    from leaklint.render.cells import plain

    config = discover(paths, file=options["config_file"], isolated=options["isolated"])
    check_config_names(config, rule.names())
    files, problems = collect(config.root, config)
    folders = Counter(file.path.partition("/")[0] + "/" if "/" in file.path else "." for file in files)
    lines = [f"project root: {config.root}", f"configuration: {config.file or 'none'}", ""]
    lines += [f"{name} = {value}" for name, value in _settings(config)]
    lines += ["", f"files: {len(files)}", *(f"  {folder}  {count}" for folder, count in sorted(folders.items()))]
    lines += [f"  not readable: {problem.path}: {problem.message}" for problem in problems]
    _print("".join(f"{plain(line)}\n" for line in lines))


def _settings(config: Config) -> Iterator[tuple[str, str]]:
    """The settings as they would stand in a leaklint.toml."""
    import json

    for name in ("include", "exclude", "select", "ignore"):
        yield name, json.dumps(getattr(config, name))
    yield "min-confidence", json.dumps(config.min_confidence.value)
    yield "fail-level", json.dumps(config.fail_level.value)
    yield "ids", json.dumps(config.ids)
    yield "sent-ids", json.dumps(config.sent_ids)
    yield "models", json.dumps([str(model) for model in config.models])
    yield "src", json.dumps(config.src)
    ignores = ", ".join(f"{json.dumps(glob)} = {json.dumps(names)}" for glob, names in config.per_file_ignores)
    yield "per-file-ignores", f"{{ {ignores} }}" if ignores else "{}"
    yield "tests", json.dumps("check" if config.check_tests else "skip")


def _row(page: Any) -> dict[str, object]:
    return {
        "name": page.name,
        "family": page.family,
        "severity": page.severity,
        "fix": page.fix,
        "cwe": list(page.cwe),
        "summary": page.summary,
    }


def _json(value: object) -> str:
    import json

    return json.dumps(value, indent=2) + "\n"


# --- what the commands share -------------------------------------------------------------------------------------


def _config(paths: Sequence[Path], options: dict[str, Any]) -> Config:
    from leaklint import rule
    from leaklint.config import check_names, discover, with_overrides
    from leaklint.finding import Confidence, Severity

    config = discover(paths, file=options["config_file"], isolated=options["isolated"])
    select, ignore = _names(options["select"]), _names(options["ignore"])
    check_names(select, rule.names(), "--select")
    check_names(ignore, rule.names(), "--ignore")
    confidence, level = options["min_confidence"], options["fail_level"]
    return with_overrides(
        config,
        select=select,
        ignore=ignore,
        min_confidence=Confidence(confidence) if confidence else None,
        fail_level=Severity(level) if level else None,
    )


def _cache(config: Config, options: dict[str, Any]) -> Cache | None:
    from leaklint import cache
    from leaklint.config import home

    return None if options["no_cache"] else cache.opened(home(config), options["cache_dir"])


def _jobs(options: dict[str, Any]) -> int:
    from leaklint import workers

    return options["jobs"] or workers.usable()


def _names(values: Sequence[str]) -> tuple[str, ...]:
    return tuple(name.strip() for value in values for name in value.split(",") if name.strip())


def _view(options: dict[str, Any]) -> View:
    import shutil

    from leaklint.render import View

    width = shutil.get_terminal_size().columns if _is_terminal(sys.stdout) else 120
    return View(
        cwd=Path.cwd(),
        color=_color(options["color"]),
        width=max(60, min(width, 160)),
        full_trace=options.get("full_trace", False),
        statistics=options.get("statistics", False),
        quiet=options["quiet"],
    )


def _color(wanted: bool | None) -> bool:
    if wanted is not None:
        return wanted
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return _is_terminal(sys.stdout) and os.environ.get("TERM") != "dumb"


def _is_terminal(stream: TextIO) -> bool:
    return stream.isatty()


@contextmanager
def _progress(options: dict[str, Any]) -> Iterator[Progress]:
    from leaklint.progress import Meter, silent

    if options["no_progress"] or options["quiet"] or not _is_terminal(sys.stderr):
        yield silent
        return
    with Meter(sys.stderr) as meter:
        yield meter


def _say_what_was_done(config: Config, report: Report) -> None:
    click.echo(f"project root: {config.root}", err=True)
    click.echo(f"configuration: {config.file or 'none'}", err=True)
    click.echo(f"files analysed: {len(report.texts)}", err=True)
    if report.statistics is not None:
        for model, entries in report.statistics.models.items():
            click.echo(f"model: {model}, {entries} entry point{'' if entries == 1 else 's'}", err=True)


def _print(text: str) -> None:
    """Write to standard output; a reader that has gone away is not an error."""
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # so that the interpreter's last flush is silent


def _complain(code: int, message: str, hint: str) -> int:
    click.echo(f"error: {message}", err=True)
    if hint:
        click.echo(f"  hint: {hint}", err=True)
    return code
