"""The programs in `fixtures/models` import with the packages they are about, so that no name in them is made up.

Needs the packages of `fixtures/models/versions.toml`, so it runs only when LEAKLINT_REAL names a Python that has them
(or is 1 for the one that runs the tests); modules whose packages that Python has not are skipped.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

MODELS = Path(__file__).resolve().parent.parent / "fixtures" / "models"
FOLDERS = sorted(folder for folder in MODELS.iterdir() if folder.is_dir())
RECORDED = tomllib.loads((MODELS / "versions.toml").read_text("utf-8"))
REAL = os.environ.get("LEAKLINT_REAL", "")
PYTHON = sys.executable if REAL == "1" else REAL

# Imports every module of a folder; 3 when a package is not there (or of another generation), else what went wrong.
PROGRAM = """
import importlib, importlib.metadata, sys
folder, modules, packages = sys.argv[1], sys.argv[2].split(), sys.argv[3].split()
for package in packages:
    name, _, major = package.partition("=")
    try:
        version = importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        sys.exit(3)
    if not version.startswith(major):
        sys.exit(3)
sys.path.insert(0, folder)
for module in modules:
    importlib.import_module(module)
"""


def _named(folder: Path) -> str:
    return folder.name


@pytest.mark.parametrize("folder", FOLDERS, ids=_named)
def test_every_folder_has_its_versions(folder: Path) -> None:
    record = RECORDED[folder.name]
    assert set(record) <= {"packages", "apart", "not_imported", "environment", "why"}
    assert all((folder / name).is_file() for name in (*record.get("not_imported", ()), *record.get("apart", ())))
    assert bool(record.get("why")) == bool(record.get("not_imported")), "modules that are not imported need a reason"


def _groups() -> Iterator[Any]:
    """Modules of one folder that are imported together, with the distributions that they need."""
    for folder in FOLDERS:
        record = RECORDED[folder.name]
        apart = record.get("apart", {})
        files = (file.relative_to(folder) for file in sorted(folder.rglob("*.py")))
        together = [f for f in files if f.as_posix() not in {*record.get("not_imported", ()), *apart}]
        if together:
            yield pytest.param(folder, together, record["packages"], id=folder.name)
        for name, packages in apart.items():
            wanted = [f"{package}={version.partition('.')[0]}." for package, version in packages.items()]
            yield pytest.param(folder, [Path(name)], wanted, id=f"{folder.name}/{name}")


@pytest.mark.skipif(not REAL, reason="needs the frameworks: LEAKLINT_REAL=1, or =a Python that has them")
@pytest.mark.parametrize(("folder", "files", "packages"), _groups())
def test_imports_with_the_real_packages(folder: Path, files: list[Path], packages: list[str], tmp_path: Path) -> None:
    modules = [".".join(file.with_suffix("").parts).removesuffix(".__init__") for file in files]
    command = [PYTHON, "-c", PROGRAM, str(folder), " ".join(modules), " ".join(packages)]
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", **RECORDED[folder.name].get("environment", {})}
    ran = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    if ran.returncode == 3:
        pytest.skip("a package is not installed")
    assert not ran.returncode, ran.stderr
