"""The model files and their vocabulary: what is refused, what a pattern means, and that the data makes sense."""

from __future__ import annotations

import re
import string
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import fields

from leaklint import models
from leaklint.errors import UserError
from leaklint.index import summarise
from leaklint.models import Model, Models, expand, parse, select, shipped
from leaklint.project.link import link

PAGE = Path(__file__).parents[1] / "docs" / "models.md"
FILES = sorted(shipped())
LABEL_FIELDS = {"name", "NAME", "path", "handler", "cls"}
NAMES = {"entry": ("decorator", "call", "base"), "call": ("name",), "type": ("name",), "attribute": ("name",)}


def own(text: str) -> Models:
    """Only the models of `text`."""
    return Models((parse(text, "own.toml"),))


def refused(text: str) -> UserError:
    with pytest.raises(UserError) as caught:
        parse(text, "own.toml")
    return caught.value


def names(model: Model) -> Iterator[tuple[str, str]]:
    """All dotted names in the rows of a file, expanded, with the table they stand in."""
    for table, keys in NAMES.items():
        for row in getattr(model, table):
            for key in keys:
                for name in getattr(row, key):
                    yield table, name


@pytest.fixture(scope="module")
def everything() -> Models:
    return Models(tuple(shipped().values()))


# --- what is refused ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ('name = "Ours"\n[[entrys]]\n', "own.toml:2: unknown `entrys`", "did you mean `entry`?"),
        ('[[entry]]\ndecorater = "a.b"\n', "own.toml:2: unknown `decorater`", "did you mean `decorator`?"),
        (
            '[[call]]\nname = "a.b"\n\noutbund = "headers"\n',
            "own.toml:4: unknown `outbund`",
            "did you mean `outbound`?",
        ),
        ('[[type]]\nname = "a.B"\nhold = "request"\n', "own.toml:3: unknown `hold`", "did you mean `holds`?"),
        ('[[attribute]]\nname = "a.b"\nkind = "x"\n', "own.toml:3: unknown `kind`", "one of: name, gives,"),
        ('[[home]]\nscope = "request"\nuse = "x"\nids = "y"\n', "own.toml:4: unknown `ids`", "did you mean `id`?"),
        (
            '[[entry]]\ncall = "a.b"\nlabel = "x"\n[[call]]\nname = "c"\nlabel = "y"\n',
            "own.toml:6: unknown `label`",
            "one of",
        ),
    ],
)
def test_an_unknown_key_names_file_line_and_the_nearest_key(text: str, message: str, hint: str) -> None:
    error = refused(text)
    assert error.message == message
    assert error.hint.startswith(hint)


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ('[[entry]]\ncall = "a.b"\nphase = "startup"\n', "own.toml:3: unknown `startup`", "did you mean `setup`?"),
        ('[[entry]]\ncall = "a.b"\nconcurrency = "pol"\n', "own.toml:3: unknown `pol`", "did you mean `pool`?"),
        ('[[call]]\nname = "a.b"\ngives = "new-id"\n', "own.toml:3: unknown `new-id`", "one of: fresh-id,"),
        ('[[type]]\nname = "a.B"\nholds = "requests"\n', "own.toml:3: unknown `requests`", "did you mean `request`?"),
        (
            '[[attribute]]\nname = "a.b"\ngives = "isolate"\n',
            "own.toml:3: unknown `isolate`",
            "did you mean `isolated`?",
        ),
        ('[[home]]\nscope = "process"\nuse = "x"\n', "own.toml:2: unknown `process`", "one of: request, session"),
    ],
)
def test_an_unknown_value_names_file_line_and_the_nearest_value(text: str, message: str, hint: str) -> None:
    error = refused(text)
    assert error.message == message
    assert error.hint.startswith(hint)


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ('[[entry]]\ncall = "a.b"\nargument = "first"\n', "argument"),
        ('[[call]]\nname = "a.b"\nmemo = "yes"\n', "memo"),
        ("[[type]]\nname = 3\n", "name"),
        ('[[call]]\nname = "a.b"\noutbound = ["headers"]\n', "outbound"),
        ('name = "Ours"\nimports = "ours"\n', "imports"),
        ('name = "Ours"\nalias = "ours"\n', "alias"),
        ('[concept]\nsession = "visit"\n', "session"),
        ('[alias]\nours = ["theirs"]\n', "ours"),
        ('[[entry]]\ncall = "a.b"\nmethods = [1]\n', "methods"),
    ],
)
def test_a_value_of_the_wrong_type_names_file_line_and_key(text: str, key: str) -> None:
    line = next(n for n, row in enumerate(text.splitlines(), 1) if row.startswith(key))
    error = refused(text)
    assert error.message.startswith(f"own.toml:{line}: ")
    assert f"`{key}`" in error.message


def test_text_that_is_no_toml_is_a_mistake_of_the_user() -> None:
    error = refused('[[entry]\ncall = "a.b"\n')
    assert error.message.startswith("own.toml: ")
    assert "docs/models.md" in error.hint


def test_a_row_without_what_it_needs_is_a_mistake_of_the_user() -> None:
    error = refused('[[type]]\nholds = "request"\n')
    assert "own.toml: [[type]]" in error.message
    assert "name" in error.message


# --- what a pattern means -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pattern", "expanded"),
    [
        ("a.b", ["a.b"]),
        ("a.{b,c}", ["a.b", "a.c"]),
        ("{a,b}.{c,d}", ["a.c", "a.d", "b.c", "b.d"]),
        ("a.{b, c}.d", ["a.b.d", "a.c.d"]),
        ("{a.b,c}.d", ["a.b.d", "c.d"]),
    ],
)
def test_alternatives_are_written_out(pattern: str, expanded: list[str]) -> None:
    assert list(expand(pattern)) == expanded


def test_a_name_is_looked_up_whole() -> None:
    loaded = own('[[call]]\nname = "ours.{load,save}"\ngives = "neutral"\n')
    assert loaded.call("ours.load") is loaded.call("ours.save") is not None
    assert loaded.call("ours.loader") is None
    assert loaded.call("load") is None
    assert loaded.call("ours.load.more") is None


def test_a_star_stands_for_components_between() -> None:
    loaded = own('[[entry]]\ncall = "ours.*.click"\n')
    assert loaded.registration("ours.Button.click")
    assert loaded.registration("ours.parts.Button.click")
    assert not loaded.registration("ours.Button.clicks")
    assert not loaded.registration("theirs.Button.click")
    assert not loaded.registration("ours.Button")


def test_a_star_at_the_start_stands_for_anything() -> None:
    models = own('[[entry]]\nbase = "*Servicer"\nmethods = ["*"]\n')
    assert models.base("protos.greeter_pb2_grpc.GreeterServicer")
    assert not models.base("protos.greeter_pb2_grpc.GreeterServicer.Greet")


def test_the_row_loaded_last_wins() -> None:
    first = parse('[[type]]\nname = "ours.Box"\nholds = "request"\n', "first.toml")
    second = parse('[[type]]\nname = "ours.Box"\nholds = "isolated"\n', "second.toml")
    found = Models((first, second)).type("ours.Box")
    assert found is not None
    assert found.holds == "isolated"


def test_an_alias_names_a_thing_or_the_parent_of_one() -> None:
    loaded = own('[alias]\n"ours.web.App" = "ours.App"\n"ours.parts" = "ours"\n')
    assert loaded.canonical("ours.web.App") == "ours.App"
    assert loaded.canonical("ours.web.App.get") == "ours.App.get"
    assert loaded.canonical("ours.parts.Button") == "ours.Button"
    assert loaded.canonical("ours.web.Request") == "ours.web.Request"
    assert loaded.canonical("ours.apart.Button") == "ours.apart.Button"


@pytest.mark.parametrize(
    ("name", "concept"),
    [
        ("session_id", "session"),
        ("sessionId", "session"),
        ("X-Session-ID", "session"),
        ("new_session_id", "session"),
        ("user", "user"),
        ("tenant", "tenant"),
        ("index", ""),
        ("sessions", ""),
    ],
)
def test_an_id_is_known_by_its_name(name: str, concept: str) -> None:
    assert select(()).concept(name) == concept


# --- which files a project loads ------------------------------------------------------------------------------------


def test_a_file_is_loaded_when_its_package_is_imported() -> None:
    assert "Flask" in select(["flask"]).names
    assert "Flask" not in select(["fastapi"]).names


def test_a_file_brings_what_it_requires() -> None:
    assert {"Gradio", "FastAPI", "Starlette"} <= set(select(["gradio"]).names)


def test_files_without_imports_are_always_loaded() -> None:
    always = {model.name for model in shipped().values() if not model.imports}
    assert "Python" in always
    assert set(select(()).names) == always


def test_models_of_the_user_are_loaded_last() -> None:
    ours = parse(
        'name = "Ours"\nimports = ["ours"]\n[[type]]\nname = "flask.Request"\nholds = "isolated"\n', "own.toml"
    )
    loaded = select(["flask"], [ours])
    assert loaded.names[-1] == "Ours"
    kind = loaded.type("flask.Request")
    assert kind is not None
    assert kind.holds == "isolated"


# --- the data -------------------------------------------------------------------------------------------------------


def test_names_of_files_are_unique() -> None:
    assert [name for name, count in Counter(m.name for m in shipped().values()).items() if count > 1] == []


@pytest.mark.parametrize("file", FILES)
def test_no_row_is_written_twice(file: str) -> None:
    model = shipped()[file]
    for table in ("entry", "call", "type", "attribute", "home"):
        assert [row for row, count in Counter(getattr(model, table)).items() if count > 1] == []


@pytest.mark.parametrize("file", FILES)
def test_what_is_required_exists(file: str) -> None:
    assert set(shipped()[file].requires) <= set(FILES)


@pytest.mark.parametrize("file", FILES)
def test_an_entry_says_how_it_is_made(file: str) -> None:
    for row in shipped()[file].entry:
        assert row.decorator or row.call or row.base or row.shape or row.script or row.settings, row
        assert not row.base or row.methods, f"{row.base}: which methods?"
        assert not row.function or row.shape, f"{row.function}: of which shape?"
        assert row.argument >= 0 or row.keyword, f"{row.call}: which argument?"


@pytest.mark.parametrize("file", FILES)
def test_a_label_uses_what_is_there_to_use(file: str) -> None:
    for row in shipped()[file].entry:
        assert row.label, row
        assert {name for _, name, _, _ in string.Formatter().parse(row.label) if name is not None} <= LABEL_FIELDS


@pytest.mark.parametrize("file", FILES)
def test_a_star_is_a_whole_component_and_not_the_last(file: str) -> None:
    for _, name in names(shipped()[file]):
        assert name.count("*") <= 1, name
        assert "*" not in name or re.fullmatch(r"\w[\w.]*\.\*\.\w+|\*\w+", name), name


@pytest.mark.parametrize("file", FILES)
def test_rows_use_the_names_that_aliases_lead_to(file: str, everything: Models) -> None:
    """A row under another name would never be found, and aliases are followed once."""
    for _, name in names(shipped()[file]):
        assert everything.canonical(name) == name
    for target in shipped()[file].alias.values():
        assert everything.canonical(target) == target


@pytest.mark.parametrize("file", FILES)
def test_an_instance_is_of_a_type(file: str) -> None:
    """Without `type` the name itself is the type, which a method of a class cannot be."""
    for row in shipped()[file].call:
        if row.gives == "instance" and not row.type:
            assert not [n for n in row.name if re.search(r"\.[A-Z]\w*\.[a-z]\w*$", n)], row.name
    for row in (*shipped()[file].call, *shipped()[file].attribute):
        assert not row.type or row.gives in ("instance", "request", "isolated"), row.name


@pytest.mark.parametrize("file", FILES)
def test_a_type_that_is_given_is_a_type_that_some_row_knows(file: str, everything: Models) -> None:
    known = [name for model in everything.models for _, name in names(model)]
    for row in (*shipped()[file].call, *shipped()[file].attribute):
        assert not row.type or any(_says_something(name, row.type) for name in known), row.type


def _says_something(name: str, type_: str) -> bool:
    if "*" in name:
        return type_.startswith(name.partition("*")[0])
    return name == type_ or name.startswith(f"{type_}.")


@pytest.mark.parametrize("file", FILES)
def test_parameters_have_types_that_some_row_knows(file: str, everything: Models) -> None:
    named = (name.rpartition("=")[2] for row in shipped()[file].entry for name in row.types)
    unknown = [name for name in named if name and everything.type(name) is None]
    assert not unknown, "without a row in [[type]] nothing is known of such a parameter"


@pytest.mark.parametrize("file", FILES)
def test_a_function_that_is_run_has_a_position(file: str) -> None:
    for row in shipped()[file].call:
        assert not row.arguments or row.runs >= 0 or row.runs_keyword, row.name
        assert not row.border or row.runs >= 0 or row.runs_keyword or row.border == "thread", row.name
        assert not row.why or row.gives == "colliding-id", row.name
        assert row.gives != "colliding-id" or row.why, row.name


# --- the page -------------------------------------------------------------------------------------------------------


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE.read_text("utf-8"), re.M | re.S)


@pytest.mark.parametrize(
    ("table", "kind"),
    [
        ("[[entry]]", models.EntryModel),
        ("[[call]]", models.CallModel),
        ("[[type]]", models.TypeModel),
        ("[[attribute]]", models.AttributeModel),
        ("[[home]]", models.HomeModel),
    ],
)
def test_the_page_explains_every_key(table: str, kind: Any) -> None:
    section = PAGE.read_text("utf-8").partition(f"## `{table}`")[2].partition("\n## ")[0]
    explained = set(re.findall(r"^\| `(\w+)` \|", section, re.M))
    assert explained == {field.name for field in fields(kind)}


def test_the_page_explains_every_key_of_a_file() -> None:
    section = PAGE.read_text("utf-8").partition("## A file")[2].partition("\n## ")[0]
    explained = set(re.findall(r"^\| `\[*(\w+)\]*` \|", section, re.M))
    assert explained == {field.name for field in fields(Model)}


def test_the_page_explains_every_value() -> None:
    page = PAGE.read_text("utf-8")
    values = {value for allowed in models._CLOSED.values() for value in allowed if value}
    assert [value for value in sorted(values) if f'"{value}"' not in page] == []


def test_the_example_of_the_page_finds_what_the_page_says() -> None:
    (example,) = (block for block in blocks("toml") if block.startswith("# our_framework.toml"))
    (program,) = blocks("python")
    loaded = select(["our_framework"], [parse(example, "our_framework.toml")])
    project = link([(summarise("app.py", program), program)], loaded)
    labels = {frame.info.function.name: frame.entry.label for frame in project.requests if frame.entry is not None}
    assert labels == {"show": "our route /notes", "on_press": "our event press", "check": "our filter Audit.check"}
