"""Which files are found, how they are decoded, and that what cannot be read is told."""

from __future__ import annotations

import io
import os
import subprocess
import tokenize
from pathlib import Path

import pytest

from leaklint.config import Config
from leaklint.files import LARGEST, collect, decode, is_excluded, package_around, split_lines


def write(root: Path, *names: str, text: str | bytes = "x = 1\n") -> None:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode() if isinstance(text, str) else text)


def names(root: Path, tops: tuple[str, ...] = (), **settings: tuple[str, ...]) -> list[str]:
    files, problems = collect(root, Config(root=root, **settings), [root / name for name in tops])
    assert problems == []
    return [file.path for file in files]


GITIGNORES = {
    "a name at any depth": ("build\n", ["a.py", "src/b.py"]),
    "a folder only": ("a.py/\nbuild/\n", ["a.py", "src/b.py"]),
    "anchored at the start": ("/build\n", ["a.py", "src/b.py", "src/build/d.py"]),
    "anchored in the middle": ("src/build\n", ["a.py", "build/c.py", "src/b.py"]),
    "a star stays in its folder": ("/*/b.py\n", ["a.py", "build/c.py", "src/build/d.py"]),
    "two stars go deeper": ("**/d.py\n", ["a.py", "build/c.py", "src/b.py"]),
    "two stars in the middle": ("src/**/d.py\n", ["a.py", "build/c.py", "src/b.py"]),
    "everything inside": ("src/**\n", ["a.py", "build/c.py"]),
    "a set": ("[bc].py\n", ["a.py", "src/build/d.py"]),
    "a negated set": ("[!a].py\n", ["a.py"]),
    "a question mark": ("?.py\n!a.py\n", ["a.py"]),
    "negation": ("*.py\n!b.py\n", ["src/b.py"]),
    "no negation inside an ignored folder": ("src/\n!src/b.py\n", ["a.py", "build/c.py"]),
    "comments, blanks and spaces": ("# a.py\n\nbuild  \n", ["a.py", "src/b.py"]),
    "an escaped mark": ("\\#x.py\n\\!a.py\n", ["a.py", "build/c.py", "src/b.py", "src/build/d.py"]),
    "an open set matches nothing": ("[a.py\n", ["a.py", "build/c.py", "src/b.py", "src/build/d.py"]),
}


@pytest.mark.parametrize(("lines", "expected"), GITIGNORES.values(), ids=GITIGNORES.keys())
def test_gitignore_means_what_it_means_to_git(tmp_path: Path, lines: str, expected: list[str]) -> None:
    write(tmp_path, "a.py", "build/c.py", "src/b.py", "src/build/d.py")
    write(tmp_path, ".gitignore", text=lines)
    assert names(tmp_path) == expected
    subprocess.run(["git", "init", "-q", "."], cwd=tmp_path, check=True)
    listed = ["git", "ls-files", "--others", "--exclude-standard", "*.py"]
    assert subprocess.check_output(listed, cwd=tmp_path, text=True).split() == expected


def test_a_nested_gitignore_speaks_of_its_own_folder_and_wins(tmp_path: Path) -> None:
    write(tmp_path, "gen.py", "src/gen.py", "src/deep/gen.py", "lib/gen.py")
    write(tmp_path, ".gitignore", text="gen.py\n")
    write(tmp_path, "src/.gitignore", text="!gen.py\n")
    assert names(tmp_path) == ["src/deep/gen.py", "src/gen.py"]


def test_the_gitignore_of_the_repository_above_counts(tmp_path: Path) -> None:
    write(tmp_path, "service/a.py", "service/generated/b.py")
    write(tmp_path, ".gitignore", text="generated/\n")
    (tmp_path / ".git").mkdir()
    assert names(tmp_path / "service") == ["a.py"]


def test_a_project_inside_an_ignored_folder_is_still_a_project(tmp_path: Path) -> None:
    write(tmp_path, "checkouts/shop/a.py", "checkouts/shop/out/b.py")
    write(tmp_path, ".gitignore", text="checkouts/\nout/\n")
    (tmp_path / ".git").mkdir()
    assert names(tmp_path / "checkouts/shop") == ["a.py"]


def test_folders_that_hold_no_own_code_are_left_out(tmp_path: Path) -> None:
    write(
        tmp_path, "a.py", ".venv/b.py", "node_modules/c.py", "__pycache__/d.py", "lib/site-packages/e.py", ".git/f.py"
    )
    write(tmp_path, "env3/g.py", "env3/pyvenv.cfg")
    assert names(tmp_path) == ["a.py"]


def test_only_python_files_count(tmp_path: Path) -> None:
    write(tmp_path, "a.py", "b.pyi", "c.txt", "d.PY", "e.ipynb", ".#a.py", ".hidden/f.py")
    (tmp_path / "folder.py").mkdir()
    assert names(tmp_path) == [".hidden/f.py", "a.py"]


def test_exclude_and_include_are_relative_to_the_root(tmp_path: Path) -> None:
    root = tmp_path / "build"  # a name above the project never excludes it
    write(root, "a.py", "build/b.py", "src/c.py", "src/old/d.py")
    assert names(root, exclude=("build", "src/old")) == ["a.py", "src/c.py"]
    assert names(root, include=("src/**",)) == ["src/c.py", "src/old/d.py"]
    assert names(root, include=("src/**",), exclude=("old",)) == ["src/c.py"]


def test_a_named_folder_is_read_though_it_is_excluded_as_a_whole(tmp_path: Path) -> None:
    write(tmp_path, "a.py", "fixtures/apps/b.py", "fixtures/apps/out/c.py", "fixtures/apps/old/d.py", "fixtures/e.py")
    write(tmp_path, ".gitignore", text="out/\n")
    assert names(tmp_path, tops=("fixtures/apps",), exclude=("fixtures", "old")) == ["fixtures/apps/b.py"]


def test_is_excluded_agrees_with_what_is_collected(tmp_path: Path) -> None:
    write(tmp_path, "a.py", "fixtures/b.py", "src/c.py", "src/gen/d.py", ".venv/e.py", "env/pyvenv.cfg", "env/f.py")
    write(tmp_path, "src/.gitignore", text="gen/\n")
    for settings in ({}, {"exclude": ("fixtures/",)}, {"include": ("src/",)}, {"include": ("src/**",)}):
        config = Config(root=tmp_path, **settings)
        taken = {file.path for file in collect(tmp_path, config)[0]}
        every = set(tmp_path.rglob("*.py"))
        assert {path.relative_to(tmp_path).as_posix() for path in every if not is_excluded(config, path)} == taken
    assert is_excluded(Config(root=tmp_path, exclude=("fixtures",)), tmp_path / "fixtures")


def test_text_is_decoded_as_python_does_and_kept_as_it_is(tmp_path: Path) -> None:
    write(tmp_path, "bom.py", text=b"\xef\xbb\xbfx = 1\n")
    write(tmp_path, "crlf.py", text=b"a\r\nb\rc\x0c\n")
    write(tmp_path, "empty.py", text=b"")
    write(tmp_path, "latin.py", text="# -*- coding: latin-1 -*-\nx = 'é'\n".encode("latin-1"))
    files, problems = collect(tmp_path, Config(root=tmp_path))
    assert problems == []
    assert {file.path: file.text for file in files} == {
        "bom.py": "x = 1\n",
        "crlf.py": "a\r\nb\rc\x0c\n",
        "empty.py": "",
        "latin.py": "# -*- coding: latin-1 -*-\nx = 'é'\n",
    }


@pytest.mark.parametrize("data", [b"\xef\xbb\xbfx\r\n", b"# coding: cp1252\n\x80\r", b"", "ü\x0c".encode()])
def test_the_encoding_gives_the_same_bytes_back(data: bytes) -> None:
    text, encoding = decode(data)
    assert text.encode(encoding) == data


@pytest.mark.parametrize(
    "data",
    [
        b"# text\n# coding: latin-1\n\xe9 = 2\n",  # in the second line it counts
        "a\nb\n# coding: latin-1\né = 3\n".encode(),  # and behind it no more
        "x = 'coding'\né = 1\n".encode(),
        "#!/usr/bin/python\r# é".encode(),
        "é".encode(),
    ],
)
def test_the_encoding_is_the_one_that_python_reads(data: bytes) -> None:
    encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
    assert decode(data) == (data.decode(encoding), encoding)


def test_the_digest_tells_bytes_apart(tmp_path: Path) -> None:
    write(tmp_path, "a.py", "b.py")
    write(tmp_path, "c.py", text="x = 2\n")
    digests = [file.digest for file in collect(tmp_path, Config(root=tmp_path))[0]]
    assert digests[0] == digests[1] != digests[2]


def test_lines_end_where_python_ends_them() -> None:
    assert split_lines("a\nb\r\nc\rd\x0ce\u2028f\n") == ["a", "b", "c", "d\x0ce\u2028f", ""]


def test_every_file_that_cannot_be_read_is_a_problem_and_the_rest_is_read(tmp_path: Path) -> None:
    write(tmp_path, "good.py")
    write(tmp_path, "bytes.py", text=b"x = 1\ny = '\xff'\n")
    write(tmp_path, "codec.py", text=b"# coding: nonsense\n")
    write(tmp_path, "hex.py", text=b"# coding: hex\n")
    write(tmp_path, "huge.py", text=b"#" * (LARGEST + 1))
    (tmp_path / "gone.py").symlink_to("nowhere.py")
    (tmp_path / "loop.py").symlink_to("loop.py")
    os.mkfifo(tmp_path / "pipe.py")
    (tmp_path / "memory.py").symlink_to("/proc/self/mem")  # opens, but no permission bit lets it be read
    files, problems = collect(tmp_path, Config(root=tmp_path))
    assert [file.path for file in files] == ["good.py"]
    told = {problem.path: problem for problem in problems}
    assert told["bytes.py"].message == "cannot be decoded: utf-8: invalid start byte"
    assert told["bytes.py"].line == 2
    assert "nonsense" in told["codec.py"].message
    assert "hex" in told["hex.py"].message
    assert told["huge.py"].message == "larger than 10 MB"
    assert told["gone.py"].message == "broken symbolic link"
    assert told["loop.py"].message == "symbolic link that leads back to itself"
    assert told["pipe.py"].message == "not a regular file"
    assert told["memory.py"].message.startswith("cannot be read: ")
    assert len(told) == 8
    assert all(problem.hint and not problem.internal for problem in problems)


def test_linked_folders_are_read_under_their_own_name_only(tmp_path: Path) -> None:
    write(tmp_path, "real/a.py")
    (tmp_path / "real/again").symlink_to(tmp_path)
    (tmp_path / "alias").symlink_to("real")
    assert names(tmp_path) == ["real/a.py"]


def test_the_package_around_a_folder_is_the_chain_of_packages(tmp_path: Path) -> None:
    inner = tmp_path / "plain" / "shop" / "api"
    inner.mkdir(parents=True)
    (inner / "__init__.py").touch()
    assert package_around(inner) == ("api",)
    (inner.parent / "__init__.py").touch()
    assert package_around(inner) == ("shop", "api")
    assert package_around(tmp_path / "plain") == ()
