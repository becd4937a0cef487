"""What is set on a shared client, passed with the calls instead: from the finding to the fixed text."""

from __future__ import annotations

from pathlib import Path

import pytest
from leaklint.config import Config
from leaklint.finding import Fix, Safety
from leaklint.run import run

from pairs import apply

HEAD = """import requests
from flask import Flask, request

app = Flask(__name__)
client = requests.Session()


@app.get("/me")
def me(token: str = "") -> str:
"""
TOKEN = 'client.headers["Authorization"] = request.headers["Authorization"]'
PASSED = '"Authorization": request.headers["Authorization"]'


def fix_of(folder: Path, body: str, tail: str = "") -> tuple[str, Fix]:
    text = HEAD + "".join(f"    {line}\n" for line in body.splitlines()) + tail
    (folder / "app.py").write_text(text)
    found = run([folder], Config(root=folder)).findings
    assert {finding.rule for finding in found} == {"shared-client-state"}
    assert found[0].fix is not None
    return text, found[0].fix


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (f"{TOKEN}\nreturn client.get(URL).text", f"return client.get(URL, headers={{{PASSED}}}).text"),
        (
            f'{TOKEN}\nreturn client.get(URL, headers={{"A": "b"}}).text',
            f'return client.get(URL, headers={{"A": "b", {PASSED}}}).text',
        ),
        (
            f"{TOKEN}\nclient.post(URL)\nreturn client.get(URL).text",
            f"client.post(URL, headers={{{PASSED}}})\nreturn client.get(URL, headers={{{PASSED}}}).text",
        ),
        (
            f'{TOKEN}\nclient.headers["X-User"] = request.args["user"]\nreturn client.get(URL).text',
            f'return client.get(URL, headers={{{PASSED}, "X-User": request.args["user"]}}).text',
        ),
        (
            'client.auth = (request.args["user"], request.args["password"])\nreturn client.get(URL).text',
            'return client.get(URL, auth=(request.args["user"], request.args["password"])).text',
        ),
        (
            f"{TOKEN}\nif request.args:\n    client.post(URL)\nreturn client.get(URL).text",
            f"if request.args:\n    client.post(URL, headers={{{PASSED}}})\n"
            f"return client.get(URL, headers={{{PASSED}}}).text",
        ),
        (
            'client.headers.update({"A": request.args["a"], "B": request.args["b"]})\nreturn client.get(URL).text',
            'return client.get(URL, headers={"A": request.args["a"], "B": request.args["b"]}).text',
        ),
        (
            'client.cookies["sid"] = request.args["sid"]\nreturn client.get(URL).text',
            'return client.get(URL, cookies={"sid": request.args["sid"]}).text',
        ),
    ],
)
def test_it_is_passed_with_each_call(tmp_path: Path, before: str, after: str) -> None:
    text, fix = fix_of(tmp_path, before)
    assert fix.refused == ""
    assert fix.safety is Safety.SAFE
    fixed = apply(text, fix.edits)
    assert fixed == HEAD + "".join(f"    {line}\n" for line in after.splitlines())
    (tmp_path / "app.py").write_text(fixed)
    assert not run([tmp_path], Config(root=tmp_path)).findings


OTHER = '\n\n@app.get("/you")\ndef you() -> str:\n    return client.get(URL).text\n'


@pytest.mark.parametrize(
    ("before", "tail", "reason"),
    [
        (f"{TOKEN}\nreturn client.get(URL).text", OTHER, "the client is used at app.py:16 too"),
        (f"{TOKEN}\nreturn str(client)", "", "the client is used in another way at app.py:11"),
        (f"{TOKEN}\nreturn ''", "", "no call with the client follows in the function at app.py:10"),
        (
            f"if request.args:\n    {TOKEN}\nreturn client.get(URL).text",
            "",
            "the call at app.py:12 is made without it too",
        ),
        (
            'given = {"A": request.args["a"]}\nclient.headers.update(given)\nreturn client.get(URL).text',
            "",
            "it is set in another way than by an assignment at app.py:11",
        ),
        (
            'client.headers["A"] = str(request.args["a"])\nreturn client.get(URL).text',
            "",
            "the value is the result of a call at app.py:10",
        ),
        (
            'a = request.args["a"]\nclient.headers["A"] = a\na = ""\nreturn client.get(a).text',
            "",
            "`a` is set anew at app.py:12",
        ),
        (
            f'{TOKEN}\nreturn client.get(URL, headers={{"Authorization": ""}}).text',
            "",
            "`Authorization` is already sent at app.py:11",
        ),
    ],
)
def test_it_is_refused_where_calls_would_change(tmp_path: Path, before: str, tail: str, reason: str) -> None:
    assert fix_of(tmp_path, before, tail)[1].refused == reason


def test_functions_that_all_set_it_are_changed_together(tmp_path: Path) -> None:
    more = OTHER.replace("    return", f"    {TOKEN}\n    return")
    text, fix = fix_of(tmp_path, f"{TOKEN}\nreturn client.get(URL).text", more)
    assert fix.refused == ""
    fixed = apply(text, fix.edits)
    assert fixed.count("client.get(URL, headers={") == 2
    assert "client.headers" not in fixed
