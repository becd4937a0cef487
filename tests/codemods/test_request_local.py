"""Shared slots to request-local variables: pairs of files before and after, and refusals with their reason."""

import libcst as cst
import pytest
from leaklint.codemods.request_local import keep_in_request
from leaklint.finding import Fix
from leaklint.project.suspect import Access, Place, PlaceKind, Use
from leaklint.syntax import Files, Syntax

from pairs import Case, apply, cases, check


def convert(case: Case, files: Files, *, covered: bool = True) -> Fix:
    owner, slot = case.settings["slot"].split(".")
    place = Place(PlaceKind.INSTANCE, f"before.{owner}", slot, (), f"self.{slot}", None, "")
    return keep_in_request(place, uses_of(files["before.py"], owner, slot, covered=covered), files)


def uses_of(syntax: Syntax, owner: str, slot: str, *, covered: bool) -> tuple[Use, ...]:
    """Every place that the engine would tell of: attributes of that name and calls that name it in a string."""
    found = []
    for node in syntax.walk(syntax.module):
        match node:
            case cst.Attribute(value=cst.Name(value="self"), attr=cst.Name(value=name)):
                around = syntax.enclosing(node, cst.ClassDef)
                if name == slot and around is not None and around.name.value == owner:
                    found.append(node)
            case cst.Call(func=cst.Name(value="setattr" | "getattr" | "hasattr"), args=[_, second, *_]):
                if isinstance(second.value, cst.SimpleString) and second.value.evaluated_value == slot:
                    found.append(node)
    statements = [syntax.span(syntax.statement(node)) for node in found]
    return tuple(
        Use(Access.READ, syntax.span(node), statement, "", covered)
        for node, statement in zip(found, statements, strict=True)
    )


@pytest.mark.parametrize("case", cases("request_local"), ids=lambda case: case.name)
def test_case(case: Case) -> None:
    check(case, lambda files: convert(case, files))


@pytest.mark.parametrize("case", [case for case in cases("request_local") if case.after], ids=lambda case: case.name)
def test_once_converted_nothing_is_left_to_convert(case: Case) -> None:
    assert case.after is not None
    slot = case.settings["slot"].split(".")[1]
    assert f"self.{slot}" not in case.after
    assert convert(case, Files({"before.py": case.after})).edits == ()


def test_a_use_whose_object_is_not_known_is_a_refusal() -> None:
    case = next(case for case in cases("request_local") if case.name == "fit-check-agent")
    fix = convert(case, Files({"before.py": case.before}), covered=False)
    assert fix.refused == "the object at before.py:13 may be another one"


def test_a_use_that_the_engine_did_not_tell_of_is_a_refusal() -> None:
    case = next(case for case in cases("request_local") if case.name == "fit-check-agent")
    files = Files({"before.py": case.before})
    uses = uses_of(files["before.py"], "FitCheckAgent", "_callback_holder", covered=True)
    place = Place(PlaceKind.INSTANCE, "before.FitCheckAgent", "_callback_holder", (), "", None, "")
    fix = keep_in_request(place, uses[:-1], files)
    assert fix.refused == "the use of `_callback_holder` at before.py:34 is not understood"


def test_a_use_in_another_module_is_a_refusal() -> None:
    case = next(case for case in cases("request_local") if case.name == "fit-check-agent")
    files = Files({"before.py": case.before, "other.py": "print(agent._callback_holder)\n"})
    uses = uses_of(files["before.py"], "FitCheckAgent", "_callback_holder", covered=True)
    other = files["other.py"]
    node = next(node for node in other.walk(other.module) if isinstance(node, cst.Attribute))
    use = Use(Access.READ, other.span(node), other.span(node), "other", True)
    place = Place(PlaceKind.INSTANCE, "before.FitCheckAgent", "_callback_holder", (), "", None, "")
    fix = keep_in_request(place, (*uses, use), files)
    assert fix.refused == "`_callback_holder` is used in more than one file: before.py, other.py"


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize(
    ("slot", "name"),
    [("_h", "h"), ("__h", "h"), ("größe", "größe"), ("id", "request_id"), ("class_", "request_class"), ("k", "k")],
)
@pytest.mark.parametrize("comment", ["", "  # why", "  # noqa: E1"])
def test_names_line_ends_and_comments_vary(end: str, slot: str, name: str, comment: str) -> None:
    lines = [
        "class A:",
        "    def __init__(self):",
        f"        self.{slot} = {{}}{comment}",
        "",
        "    async def run(self, callback):",
        f"        self.{slot}['k'] = callback{comment}",
        "        async def inner():",
        f"            return [len(self.{slot}) for _ in ()]{comment}",
        "        try:",
        f"            await go(inner, self.{slot})",
        "        finally:",
        f"            self.{slot}.pop('k'){comment}",
    ]
    text = end.join(lines) + end
    case = Case("varied", text, None, {"slot": f"A.{slot}"})
    files = Files({"before.py": text})
    fix = convert(case, files)
    assert fix.refused == ""
    result = apply(text, fix.edits)
    compile(result, "after.py", "exec")
    assert f"self.{slot}" not in result
    assert result.count(end) == result.count("\n")
    assert f"        {name} = {{'k': callback}}{comment}{end}" in result
