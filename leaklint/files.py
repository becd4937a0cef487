"""A project's folder to the decoded text of its Python files.

Files are chosen by .gitignore, by the configuration and by a few folders that never hold a project's own code. Nothing
is parsed here; a file that cannot be read is a `Problem`, never an exception.
"""

from __future__ import annotations

import codecs
import errno
import hashlib
import io
import os
import re
import stat
import tokenize
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from msgspec import Struct

from leaklint.config import Config, git_root
from leaklint.finding import Problem

LARGEST = 10 * 1024 * 1024  # bytes; no file that people write is larger

_NEVER = frozenset({".git", ".hg", ".svn", ".venv", ".leaklint_cache", "node_modules", "__pycache__", "site-packages"})
_LINE_END = re.compile(r"\r\n|\r|\n")


class SourceFile(Struct, frozen=True):
    """One Python file: `path` relative to the project root with forward slashes, `text` with its own line ends."""

    path: str
    text: str
    digest: str  # blake2b of the bytes, 32 hex digits


def collect(root: Path, config: Config, tops: Sequence[Path] = ()) -> tuple[list[SourceFile], list[Problem]]:
    """The files under `tops`, or under `root` when there are none, and those that could not be read; sorted by path.

    Paths are relative to `root`. Exclusions that cover a top as a whole are set aside, those that cover a part of it
    stay in force: who names an excluded folder wants it read.
    """
    return _load(found for top in tops or (root,) for found in _walk(root, top, config))


def is_excluded(config: Config, path: Path) -> bool:
    """Whether `collect` leaves out `path`, a file or folder under the project root."""
    excludes = _patterns(config.exclude, config.root)
    ignores = _inherited(config, config.root)
    here = config.root
    for part in path.relative_to(here).parts:
        ignores += _gitignore(here)
        here = here / part
        folder = here.is_dir()
        if (folder and _never(here.name, here)) or _covers(excludes, here, folder) or _covers(ignores, here, folder):
            return True
    return path.is_file() and not _included(_patterns(config.include, config.root), path)


def covered_by(config: Config, globs: Sequence[str], path: Path) -> bool:
    """Whether one of the configuration's `globs` covers the file `path` or a folder above it."""
    patterns = _patterns(globs, config.root)
    return bool(patterns) and _included(patterns, path)


def decode(data: bytes) -> tuple[str, str]:
    """The text of a Python file, and the encoding that turns it back into the same bytes (PEP 263, or its BOM).

    Raises SyntaxError for an encoding that is not known, UnicodeError for bytes that are not in it.
    """
    if (text := _plain(data)) is not None:
        return text, "utf-8"
    encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
    try:
        return data.decode(encoding), encoding
    except LookupError as error:  # "hex" is a codec, but not one of text
        raise SyntaxError(str(error)) from None


def _plain(data: bytes) -> str | None:
    """The text of a file that says nothing of its encoding, as nearly all do, where it is UTF-8."""
    second = data.find(b"\n") + 1
    head = data[: data.find(b"\n", second) + 1 or len(data)] if second else data
    if b"coding" in head or data.startswith(codecs.BOM_UTF8):
        return None
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return None


def split_lines(text: str) -> list[str]:
    """The lines as Python counts them: ended by LF, CRLF or a lone CR and by nothing else; without their ends."""
    return _LINE_END.split(text)


# --- walking -----------------------------------------------------------------------------------------------------


class _Found(Struct, frozen=True):
    """A Python file that was chosen: where it is, and what it is called in the report."""

    path: str
    name: str


def package_around(root: Path) -> tuple[str, ...]:
    """The package whose inside `root` is, part by part: `("shop", "api")` for `shop/api`; empty for other folders."""
    names: list[str] = []
    while (root / "__init__.py").is_file() and root.name.isidentifier():
        names.append(root.name)
        root = root.parent
    return tuple(reversed(names))


def _walk(root: Path, top: Path, config: Config) -> Iterator[_Found | Problem]:
    name = "" if top == root else Path(os.path.relpath(top, root)).as_posix()
    if not top.is_dir():
        yield _Found(str(top), name)
        return
    excludes = tuple(pattern for pattern in _patterns(config.exclude, config.root) if not pattern.touches(top))
    includes = _patterns(config.include, config.root)
    pending = [(str(top), name, _inherited(config, top))]
    while pending:
        folder, name, ignores = pending.pop()
        ignores += _gitignore(Path(folder))
        try:
            entries = list(os.scandir(folder))
        except OSError as error:
            yield Problem(name or ".", f"folder cannot be read: {error.strerror}", "check its permissions")
            continue
        for entry in entries:
            is_folder = entry.is_dir(follow_symlinks=False)  # a linked folder is reached under its own name
            if not is_folder and not _is_python(entry):
                continue
            if is_folder and _never(entry.name, Path(entry.path)):
                continue
            if _covers(excludes, entry.path, is_folder) or _covers(ignores, entry.path, is_folder):
                continue
            inner = f"{name}/{entry.name}" if name else entry.name
            if is_folder:
                pending.append((entry.path, inner, ignores))
            elif not includes or _included(includes, Path(entry.path)):
                yield _Found(entry.path, inner)


def _is_python(entry: os.DirEntry[str]) -> bool:
    if not entry.name.endswith(".py") or entry.name.startswith(".#"):  # ".#a.py" is the lock file of an editor
        return False
    return not entry.is_symlink() or not Path(entry.path).is_dir()  # which bears links that lead in a circle


def _never(name: str, folder: Path) -> bool:
    return name in _NEVER or (folder / "pyvenv.cfg").is_file()


def _load(found: Iterable[_Found | Problem]) -> tuple[list[SourceFile], list[Problem]]:
    files: dict[str, SourceFile] = {}
    problems: set[Problem] = set()
    for item in found:
        match item if isinstance(item, Problem) else _read(item):
            case Problem() as problem:
                problems.add(problem)
            case SourceFile() as file:
                files[file.path] = file
    return sorted(files.values(), key=lambda file: file.path), sorted(problems, key=lambda p: (p.path, p.message))


def _read(file: _Found) -> SourceFile | Problem:
    path = Path(file.path)
    try:
        if not stat.S_ISREG(path.stat().st_mode):  # opening a pipe would wait for ever
            return Problem(file.name, "not a regular file", "exclude it")
        with path.open("rb") as stream:
            data = stream.read(LARGEST + 1)
    except OSError as error:
        return Problem(file.name, *_unreadable(file.path, error))
    if len(data) > LARGEST:
        return Problem(file.name, f"larger than {LARGEST // 1024 // 1024} MB", "exclude it: it looks generated")
    try:
        text, _ = decode(data)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        return Problem(
            file.name, f"cannot be decoded: {error.encoding}: {error.reason}", "name its encoding in line 1", line=line
        )
    except (SyntaxError, UnicodeError) as error:
        return Problem(file.name, f"cannot be decoded: {error}", "save it as UTF-8, or name its encoding in line 1")
    return SourceFile(file.name, text, hashlib.blake2b(data, digest_size=16).hexdigest())


def _unreadable(path: str, error: OSError) -> tuple[str, str]:
    if error.errno == errno.ELOOP:
        return "symbolic link that leads back to itself", "remove the link, or exclude it"
    if error.errno == errno.ENOENT and Path(path).is_symlink():
        return "broken symbolic link", "remove the link, or exclude it"
    return f"cannot be read: {error.strerror}", "check its permissions, or exclude it"


# --- patterns, as in a .gitignore --------------------------------------------------------------------------------


class _Pattern(Struct, frozen=True):
    """One line of a .gitignore, or one glob of the configuration; it speaks of what lies under `base`."""

    base: str  # absolute, without a slash at the end
    regex: re.Pattern[str]  # of the whole path relative to `base`, with forward slashes
    negated: bool
    folders_only: bool

    def matches(self, path: str, is_folder: bool) -> bool:
        if self.folders_only and not is_folder:
            return False
        return path.startswith(self.base) and self.regex.fullmatch(path, len(self.base) + 1) is not None

    def touches(self, folder: Path) -> bool:
        """Whether it matches `folder` or one above it."""
        return any(self.matches(here.as_posix(), True) for here in (folder, *folder.parents))


def _covers(patterns: tuple[_Pattern, ...], path: str | Path, is_folder: bool) -> bool:
    text = str(path).replace(os.sep, "/")
    for pattern in reversed(patterns):  # the last line that matches decides
        if pattern.matches(text, is_folder):
            return not pattern.negated
    return False


def _included(patterns: tuple[_Pattern, ...], file: Path) -> bool:
    return not patterns or _covers(patterns, file, False) or any(pattern.touches(file.parent) for pattern in patterns)


def _inherited(config: Config, top: Path) -> tuple[_Pattern, ...]:
    """What the .gitignore files above `top` say about things below it."""
    highest = git_root(top) or config.root
    above = [folder for folder in reversed(top.parents) if folder.is_relative_to(highest)]
    patterns = [pattern for folder in above for pattern in _gitignore(folder)]
    return tuple(pattern for pattern in patterns if not pattern.touches(top))


def _gitignore(folder: Path) -> tuple[_Pattern, ...]:
    try:
        lines = (folder / ".gitignore").read_bytes().decode("utf-8-sig", "surrogateescape").splitlines()
    except OSError:
        return ()  # none, or not ours to read: git passes over it too
    return _patterns(lines, folder)


def _patterns(lines: Iterable[str], base: Path) -> tuple[_Pattern, ...]:
    found = (_pattern(line, base.as_posix().rstrip("/")) for line in lines)
    return tuple(pattern for pattern in found if pattern is not None)


def _pattern(line: str, base: str) -> _Pattern | None:
    glob = re.sub(r"(?<!\\)\s+$", "", line)
    if not glob or glob.startswith("#"):
        return None
    negated = glob.startswith("!")
    glob = glob.removeprefix("!")
    folders_only = glob.endswith("/")
    glob = glob.rstrip("/")
    anchored = "/" in glob
    regex = _regex(glob.removeprefix("/"))
    if not glob or regex is None:
        return None
    try:
        return _Pattern(base, re.compile(regex if anchored else f"(?:.*/)?{regex}", re.S), negated, folders_only)
    except re.error:
        return None  # such as the range [z-a], which matches nothing


_TOKEN = re.compile(
    r"(?P<any>^\*\*/|/\*\*/|/\*\*$|\*+|\?)|(?P<set>\[[!^]?\]?(?:\\.|[^\]\\])*\])|\\(?P<escaped>.)", re.S
)
_ANY = {"**/": "(?:.*/)?", "/**/": "/(?:.*/)?", "/**": "/.+", "?": "[^/]"}


def _regex(glob: str) -> str | None:
    """The regular expression of a glob; None when a set is left open, which matches nothing."""
    parts: list[str] = []
    end = 0
    for token in _TOKEN.finditer(glob):
        literal = glob[end : token.start()]
        if "[" in literal:
            return None
        parts.append(re.escape(literal))
        end = token.end()
        if wildcard := token["any"]:
            parts.append(_ANY.get(wildcard, "[^/]*"))
        elif members := token["set"]:
            parts.append(f"(?!/){_set(members[1:-1])}")
        else:
            parts.append(re.escape(token["escaped"]))
    if "[" in glob[end:]:
        return None
    return "".join(parts) + re.escape(glob[end:])


def _set(members: str) -> str:
    negated = members[0] in "!^"
    inner = members[1:] if negated else members
    escaped = re.sub(r"([][&|~^\\])", r"\\\1", re.sub(r"\\(.)", r"\1", inner))
    return f"[{'^' if negated else ''}{escaped}]"
