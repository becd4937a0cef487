"""Plain data kept on disk from one run to the next: a kind and a key to what was stored under them.

Nothing here fails: what cannot be read, was damaged or was written by another leaklint is not there, and what cannot
be written is left out. An entry is written beside its place and moved there, so that runs at the same time, and runs
that are killed, leave whole entries only.

The folder may come with a project that somebody else wrote. Entries are pickles, because nothing else reads so many
small tuples as fast, but the reader knows the classes of plain data and no other name: an entry can be wrong, it
cannot run anything.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib
import importlib.util
import io
import os
import pickle
import sys
import time
from collections.abc import Iterator, Set
from enum import Enum
from functools import lru_cache
from pathlib import Path

from msgspec import Struct

from leaklint import __version__
from leaklint.errors import UserError

FOLDER = ".leaklint_cache"
VARIABLE = "LEAKLINT_CACHE_DIR"

_PLAIN = ("leaklint.analysis", "leaklint.finding", "leaklint.index.summary")  # modules that hold classes of data only
_CHECKSUM = 16  # bytes before the pickle
_ABANDONED = 3600.0  # seconds after which a half-written entry has nobody any more who writes it
_TAG = "CACHEDIR.TAG"
_SIGNATURE = "Signature: 8a477f597d28d172789f06886806bc55\n# Written by leaklint; `leaklint clean` removes it.\n"


class Kind(Enum):
    """What is kept; each kind has a folder of its own."""

    SUMMARY = "summaries"  # by the digest of a file
    RUN = "runs"  # by the files and settings of a program
    UNIT = "units"  # the same, of a part of one that was solved apart


class Cache(Struct, frozen=True):
    """A folder of entries of one leaklint on one Python; nothing is created before the first entry is stored."""

    folder: Path
    writer: str  # identifies the leaklint, LibCST and Python that wrote an entry

    def load(self, kind: Kind, key: str) -> object:
        """What was stored, or None."""
        file = self._file(kind, key)
        try:
            with file.open("rb") as stream:
                data = stream.read()
        except OSError:
            return None
        try:
            if _checksum(data[_CHECKSUM:]) != data[:_CHECKSUM]:
                raise pickle.UnpicklingError("damaged")
            return unpack(data[_CHECKSUM:])
        except Exception:  # bytes that nobody vouches for may raise anything
            with contextlib.suppress(OSError):
                file.unlink()
            return None

    def store(self, kind: Kind, key: str, data: bytes) -> None:
        """Keep what `pack` gave."""
        with contextlib.suppress(OSError):
            self._write(self._file(kind, key), _checksum(data) + data)

    def trim(self, kind: Kind, keep: Set[str], spare: int) -> None:
        """Drop all but the entries under the keys to keep and the youngest `spare` of the others."""
        kept = {self._file(kind, key).name for key in keep}
        with contextlib.suppress(OSError):
            others = [(entry.stat().st_mtime, entry.path) for entry in _entries(self.folder / kind.value, kept)]
            for written, path in sorted(others, reverse=True)[spare:]:
                if not path.endswith(".tmp") or written < time.time() - _ABANDONED:
                    Path(path).unlink(missing_ok=True)

    def _file(self, kind: Kind, key: str) -> Path:
        return self.folder / kind.value / digest(self.writer, key)

    def _write(self, file: Path, data: bytes) -> None:
        beside = file.with_name(f"{file.name}.{os.getpid()}.tmp")
        try:
            stream = beside.open("wb")
        except FileNotFoundError:
            _create(self.folder, file.parent)
            stream = beside.open("wb")
        try:
            with stream:
                stream.write(data)
            beside.replace(file)
        except BaseException:
            beside.unlink(missing_ok=True)
            raise


def pack(value: object) -> bytes:
    """A value made of classes of plain data, built-in containers and constants, as it is kept."""
    return pickle.dumps(value, 5)


def unpack(data: bytes) -> object:
    """What `pack` was given. Bytes that nobody vouches for may raise anything; they run nothing."""
    return _Reader(io.BytesIO(data)).load()


def opened(root: Path, chosen: Path | None = None) -> Cache | None:
    """The cache for the project at `root`: in the chosen folder, else where the environment says, else in `root`.

    None where there can be none: a link in a project leads who knows where.
    """
    folder = _folder(root, chosen)
    if folder.parent == root and folder.is_symlink():
        return None
    return Cache(folder, _writer())


def clean(root: Path, chosen: Path | None = None) -> Path | None:
    """Remove the cache for the project at `root`; gives its folder, or None when there was none.

    Raises UserError for a folder that leaklint did not write, or cannot remove.
    """
    folder = _folder(root, chosen)
    if not folder.is_dir():
        return None
    tag = folder / _TAG
    if folder.is_symlink() or not tag.is_file() or tag.read_bytes() != _SIGNATURE.encode():
        raise UserError(f"{folder}: not a cache of leaklint, and left alone", f"it holds no {_TAG} that leaklint wrote")
    try:
        for kind in Kind:
            for entry in _entries(folder / kind.value, set()):
                Path(entry.path).unlink(missing_ok=True)
            with contextlib.suppress(FileNotFoundError):
                (folder / kind.value).rmdir()
        (folder / ".gitignore").unlink(missing_ok=True)
        tag.unlink(missing_ok=True)
        folder.rmdir()
    except OSError as error:
        raise UserError(f"{folder}: cannot be removed: {error.strerror}", "check what else it holds") from None
    return folder


def digest(*parts: str | bytes) -> str:
    """32 hex digits that identify a sequence of texts."""
    state = hashlib.blake2b(digest_size=16)
    for part in parts:
        data = part.encode("utf-8", "surrogatepass") if isinstance(part, str) else part
        state.update(len(data).to_bytes(8, "little"))
        state.update(data)
    return state.hexdigest()


# --- reading and writing ---------------------------------------------------------------------------------------------


class _Reader(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> type:
        """A class of plain data, by its exact name. Raises UnpicklingError for everything else that has a name."""
        if (module, name) == ("builtins", "complex"):
            return complex
        if module in _PLAIN:
            found = vars(importlib.import_module(module)).get(name)
            if isinstance(found, type) and found.__module__ == module:
                return found
        raise pickle.UnpicklingError(f"{module}.{name}")


def _checksum(data: bytes) -> bytes:
    return hashlib.blake2b(data, digest_size=_CHECKSUM).digest()


def _entries(folder: Path, kept: Set[str]) -> Iterator[os.DirEntry[str]]:
    if folder.is_dir() and not folder.is_symlink():
        yield from (entry for entry in os.scandir(folder) if entry.name not in kept)


def _create(folder: Path, inner: Path) -> None:
    inner.mkdir(parents=True, exist_ok=True)
    for name, text in ((_TAG, _SIGNATURE), (".gitignore", "*\n")):
        if not (folder / name).exists():
            (folder / name).write_text(text, "utf-8")


# --- where, and whose ------------------------------------------------------------------------------------------------


def _folder(root: Path, chosen: Path | None) -> Path:
    told = chosen or (Path(os.environ[VARIABLE]) if os.environ.get(VARIABLE) else None)
    return told.absolute() if told else root / FOLDER


@lru_cache(maxsize=1)
def _writer() -> str:
    """Identifies everything that findings rest on besides the program and its settings."""
    import leaklint.rule

    here = Path(__file__).parent
    own = [file for pattern in ("**/*.py", "**/*.toml") for file in here.glob(pattern)]
    rules = leaklint.rule.folder().glob("*.py")
    found = importlib.util.find_spec("libcst")  # found, not imported
    syntax = [Path(found.origin).with_name("_version.py")] if found is not None and found.origin else []
    files = sorted({*own, *rules, *(file for file in syntax if file.is_file())})
    return digest(__version__, sys.version, *(part for file in files for part in (file.name, file.read_bytes())))
