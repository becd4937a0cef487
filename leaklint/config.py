"""Paths and a TOML table to a `Config`: where the project begins and what its owner wants.

No file but the configuration is read here, and nothing is judged: who uses a setting interprets it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import NoReturn

from msgspec import Struct
from msgspec.structs import replace

from leaklint.errors import UserError, did_you_mean
from leaklint.finding import Confidence, Family, Severity

SUPPRESSION_RULES = ("expired-suppression", "unknown-suppression", "unused-suppression")
"""Rules that judge the suppression comments themselves; they have no module of their own."""


class Config(Struct, frozen=True):
    """The effective settings of one run.

    `root` is absolute; every glob and `src` folder is relative to it, with forward slashes; `models` are absolute.
    """

    root: Path
    file: Path | None = None  # the configuration file that was read
    include: tuple[str, ...] = ()  # empty: every Python file
    exclude: tuple[str, ...] = ()
    select: tuple[str, ...] = ()  # rules and families; empty: all
    ignore: tuple[str, ...] = ()
    min_confidence: Confidence = Confidence.MEDIUM
    fail_level: Severity = Severity.TRACE
    ids: tuple[str, ...] = ()  # id names besides the built-in ones
    sent_ids: tuple[str, ...] = ()  # those that every call to another program has to carry, as it names them
    models: tuple[Path, ...] = ()
    src: tuple[str, ...] = ()
    per_file_ignores: tuple[tuple[str, tuple[str, ...]], ...] = ()
    check_tests: bool = False  # whether code that only a test runner reaches is judged too


def enabled(config: Config, rule: str, family: Family, *, default: bool = True) -> bool:
    """Whether the settings let `rule` run; a rule named by itself wins over its family, and over being off."""
    if rule in config.ignore:
        return False
    if rule in config.select:
        return True
    if not default:
        return False
    if family.value in config.ignore:
        return False
    return not config.select or family.value in config.select


def discover(paths: Sequence[Path], *, file: Path | None = None, isolated: bool = False) -> Config:
    """The configuration for `paths`, of which the first one decides.

    `file` is read instead of searched for; `isolated` reads none. Raises UserError for a missing path and for
    anything wrong in the configuration.
    """
    for path in paths:
        if str(path) == "-":
            raise UserError(
                "-: standard input is not read", "name files or folders: one file alone says little of a program"
            )
        if not path.exists():
            raise UserError(f"{path}: no such file or folder", "check the spelling, and the folder you are in")
    first = paths[0].resolve() if paths else Path.cwd()
    start = first if first.is_dir() else first.parent
    if file is not None:
        return _read(file.resolve(), table_required=False)
    found = None if isolated else _find(start)
    if found is not None:
        return _read(found, table_required=True)
    return Config(root=start if isolated else git_root(start) or start)


def home(config: Config) -> Path:
    """The folder to keep things in: the project's, or where nothing says that there is one, the working directory."""
    return config.root if config.file or (config.root / ".git").exists() else Path.cwd()


def git_root(folder: Path) -> Path | None:
    """The nearest folder at or above `folder` that holds `.git` (a folder, or a file in a worktree)."""
    return next((above for above in (folder, *folder.parents) if (above / ".git").exists()), None)


def with_overrides(
    config: Config,
    *,
    select: Sequence[str] = (),
    ignore: Sequence[str] = (),
    min_confidence: Confidence | None = None,
    fail_level: Severity | None = None,
) -> Config:
    """The settings with those of the command line laid over them.

    A selection on the command line starts afresh: it sets the configured `select` and `ignore` aside.
    """
    if select:
        config = replace(config, select=tuple(select), ignore=())
    return replace(
        config,
        ignore=(*config.ignore, *ignore),
        min_confidence=min_confidence or config.min_confidence,
        fail_level=fail_level or config.fail_level,
    )


def check_names(names: Sequence[str], rules: Collection[str], where: str) -> None:
    """Raise UserError for the first of `names` that is neither a rule nor a family; `where` says who gave it."""
    known = {*rules, *SUPPRESSION_RULES, *(family.value for family in Family)}
    for name in names:
        if name not in known:
            raise UserError(
                f"{where}: unknown rule or family `{name}`", did_you_mean(name, known, "`leaklint rules` lists them")
            )


def check_config_names(config: Config, rules: Collection[str]) -> None:
    """Raise UserError for a rule or family in the configuration file that does not exist."""
    where = str(config.file or "configuration")
    check_names(config.select, rules, f"{where}: select")
    check_names(config.ignore, rules, f"{where}: ignore")
    for glob, names in config.per_file_ignores:
        check_names(names, rules, f"{where}: per-file-ignores `{glob}`")


# --- reading -----------------------------------------------------------------------------------------------------


def _find(start: Path) -> Path | None:
    for folder in (start, *start.parents):
        if (own := folder / "leaklint.toml").is_file():
            return own
        shared = folder / "pyproject.toml"
        if shared.is_file() and b"leaklint" in _bytes(shared) and _table(shared) is not None:
            return shared
    return None


def _read(file: Path, *, table_required: bool) -> Config:
    if not file.is_file():
        raise UserError(f"{file}: no such configuration file", "check the path given to `--config`")
    table = _table(file)
    if table is None and not table_required:
        raise UserError(f"{file}: no table [tool.leaklint]", "add the table, or name a leaklint.toml")
    reader = _Reader(file)
    for key in table or {}:
        if key not in KEYS:
            reader.fail(key, f"unknown key `{key}`", did_you_mean(key, KEYS))
    config = Config(root=file.parent, file=file)
    for key, value in (table or {}).items():
        config = KEYS[key](reader, key, value, config)
    return config


def _bytes(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise UserError(f"{file}: cannot be read: {error.strerror}", "check its permissions") from None


def _table(file: Path) -> Mapping[str, object] | None:
    import tomllib  # 15 ms that `--version` and `--help` need not pay

    try:
        document = tomllib.loads(_bytes(file).decode("utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UserError(f"{file}: not valid TOML: {error}", "mend the file, or use `--isolated`") from None
    if file.name != "pyproject.toml":
        return document
    tool = document.get("tool", {})
    table = tool.get("leaklint") if isinstance(tool, dict) else None
    if table is None or isinstance(table, dict):
        return table
    raise UserError(f"{file}: tool.leaklint is not a table", "write [tool.leaklint] on a line of its own")


class _Reader(Struct, frozen=True):
    """One configuration file, for errors that name the file and the line."""

    file: Path

    def fail(self, key: str, problem: str, hint: str) -> NoReturn:
        raise UserError(f"{self.file}{self._line(key)}: {problem}", hint)

    def _line(self, key: str) -> str:
        lines = self.file.read_text("utf-8-sig", "replace").splitlines()
        start = 0
        if self.file.name == "pyproject.toml":
            start = next((number for number, line in enumerate(lines) if _HEADER.match(line)), 0)
        pattern = re.compile(rf"""\s*(?:\[+\s*(?:tool\s*\.\s*leaklint\s*\.\s*)?)?["']?{re.escape(key)}["']?\s*[=.\]]""")
        for number, line in enumerate(lines[start:], start + 1):
            if pattern.match(line):
                return f":{number}"
        return ""

    def strings(self, key: str, value: object) -> tuple[str, ...]:
        if isinstance(value, list) and all(isinstance(item, str) and item for item in value):
            return tuple(value)
        self.fail(key, f"`{key}` is not a list of strings", f'write {key} = ["...", "..."]')

    def choice(self, key: str, value: object, known: Collection[str]) -> str:
        if isinstance(value, str) and value in known:
            return value
        self.fail(key, f"`{key}` cannot be {value!r}", did_you_mean(str(value), known))


_HEADER = re.compile(r"\s*\[\s*tool\s*\.\s*[\"']?leaklint\b")
_Setter = Callable[[_Reader, str, object, Config], Config]


def _exclude(reader: _Reader, key: str, value: object, config: Config) -> Config:
    return replace(config, exclude=(*config.exclude, *reader.strings(key, value)))


def _min_confidence(reader: _Reader, key: str, value: object, config: Config) -> Config:
    return replace(config, min_confidence=Confidence(reader.choice(key, value, [level.value for level in Confidence])))


def _fail_level(reader: _Reader, key: str, value: object, config: Config) -> Config:
    return replace(config, fail_level=Severity(reader.choice(key, value, [level.value for level in Severity])))


def _tests(reader: _Reader, key: str, value: object, config: Config) -> Config:
    return replace(config, check_tests=reader.choice(key, value, ("skip", "check")) == "check")


def _models(reader: _Reader, key: str, value: object, config: Config) -> Config:
    models = tuple(config.root / name for name in reader.strings(key, value))
    for model in models:
        if not model.is_file():
            reader.fail(key, f"no such model file: {model}", "paths are relative to the configuration file")
    return replace(config, models=models)


def _src(reader: _Reader, key: str, value: object, config: Config) -> Config:
    src = tuple(name.replace("\\", "/").rstrip("/") or "." for name in reader.strings(key, value))
    for name in src:
        if not (config.root / name).is_dir():
            reader.fail(key, f"no such source folder: {name}", "paths are relative to the configuration file")
    return replace(config, src=src)


def _per_file_ignores(reader: _Reader, key: str, value: object, config: Config) -> Config:
    if not isinstance(value, dict):
        reader.fail(key, f"`{key}` is not a table", f'write {key} = {{ "legacy/**" = ["rule"] }}')
    return replace(config, per_file_ignores=tuple((glob, reader.strings(key, names)) for glob, names in value.items()))


def _include(reader: _Reader, key: str, value: object, config: Config) -> Config:
    return replace(config, include=reader.strings(key, value))


def _select(reader: _Reader, key: str, value: object, config: Config) -> Config:
    return replace(config, select=reader.strings(key, value))


def _ignore(reader: _Reader, key: str, value: object, config: Config) -> Config:
    return replace(config, ignore=reader.strings(key, value))


def _ids(reader: _Reader, key: str, value: object, config: Config) -> Config:
    return replace(config, ids=reader.strings(key, value))


def _sent_ids(reader: _Reader, key: str, value: object, config: Config) -> Config:
    return replace(config, sent_ids=reader.strings(key, value))


KEYS: Mapping[str, _Setter] = {
    "include": _include,
    "exclude": _exclude,
    "extend-exclude": _exclude,
    "select": _select,
    "ignore": _ignore,
    "min-confidence": _min_confidence,
    "fail-level": _fail_level,
    "ids": _ids,
    "sent-ids": _sent_ids,
    "models": _models,
    "src": _src,
    "per-file-ignores": _per_file_ignores,
    "tests": _tests,
}
