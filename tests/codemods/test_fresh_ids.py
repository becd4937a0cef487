"""Where a fresh id is refused because others need the same one."""

import libcst as cst
import pytest
from leaklint.codemods.identity import fresh_instead, give_id
from leaklint.syntax import Files

GETTER = """def known(request):
    if request is None:
        return "nobody"
    return request.session_id
"""
STARTED = """def begin():
    return "nobody"
"""


def refused(text: str, constant: str = '"nobody"', **others: str) -> str:
    files = Files({"a.py": text, **{f"{name}.py": other for name, other in others.items()}})
    syntax = files["a.py"]
    node = next(n for n in syntax.walk(syntax.module) if isinstance(n, cst.SimpleString) and n.value == constant)
    return give_id(syntax, node, name="session_id", files=files).refused


@pytest.mark.parametrize(
    ("text", "others", "reason"),
    [
        (
            GETTER,
            {"b": "known(r)\n", "c": "known(r)\n"},
            "`known` is asked at 2 places, which need the same id: a.py:3",
        ),
        (GETTER, {"b": "known(r)\n"}, ""),
        (GETTER, {"b": "unknown(r)\n", "c": "well.unknown(r)\n"}, ""),
        (STARTED, {"b": "begin()\n", "c": "begin()\n"}, ""),
        (
            'def known(r):\n    return r.id if r else "nobody"\n',
            {"b": "x(known(r), known(r))\n"},
            "`known` is asked at 2 places, which need the same id: a.py:2",
        ),
        (
            'send(session_id="nobody")\n',
            {"b": "def f(session_id: str = 'nobody'): ...\n"},
            '"nobody" is said for `session_id` at b.py:1 too, and one id is needed',
        ),
        (
            'send(session_id="nobody")\n',
            {"b": "\nif m.session_id == 'nobody': ...\n"},
            '"nobody" is said for `session_id` at b.py:2 too, and one id is needed',
        ),
        (
            'send({"session_id": "nobody"})\nsend({"session_id": "nobody"})\n',
            {},
            '"nobody" is said for `session_id` at a.py:2 too, and one id is needed',
        ),
        ('send(session_id="nobody")\n', {"b": "user_id = session_id or 'anybody'\n"}, ""),
    ],
)
def test_what_others_say_or_ask_again(text: str, others: dict[str, str], reason: str) -> None:
    assert refused(text, **others) == reason


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("str(uuid.uuid5(SPACE, chat + str(date.today())))", "it comes out the same for each `chat`: a.py:3"),
        ("hashlib.sha256(chat.encode()).hexdigest()", "it comes out the same for each `chat`: a.py:3"),
        ("hashlib.sha256(str(time.time()).encode()).hexdigest()", ""),
        ("str(uuid.uuid5(SPACE, str(time.time())))", ""),
        ("str(day)", "it comes out the same for each `chat`: a.py:2"),
    ],
)
def test_what_comes_out_the_same_on_purpose(value: str, reason: str) -> None:
    files = Files(
        {"a.py": f"def f(chat):\n    day = uuid.uuid5(SPACE, chat + today())\n    key = {value}\n    return key\n"}
    )
    syntax = files["a.py"]
    node = [n.value for n in syntax.walk(syntax.module) if isinstance(n, cst.Assign)][1]
    assert fresh_instead(syntax, node, value, files).refused == reason
