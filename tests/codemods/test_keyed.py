"""A name that keeps what the first caller got, to a dict with one for each id."""

import libcst as cst
import pytest
from leaklint.codemods.keyed import keep_one_for_each
from leaklint.finding import Fix, Safety
from leaklint.syntax import Files

from pairs import apply, comments

BEFORE = '''from threading import Lock

# made when it is first asked for
_agent: Agent | None = None
_lock = Lock()


def get_agent(session_id: str) -> Agent:
    """The agent."""
    global _agent
    with _lock:
        if _agent is None:
            _agent = Agent(session_id)  # c
        return _agent
'''
AFTER = '''from threading import Lock

# made when it is first asked for
_agents: dict[str, Agent] = {}
_lock = Lock()


def get_agent(session_id: str) -> Agent:
    """The agent."""
    with _lock:
        if session_id not in _agents:
            if len(_agents) >= 1000:
                del _agents[next(iter(_agents))]
            _agents[session_id] = Agent(session_id)  # c
        return _agents[session_id]
'''


def keyed(text: str, key: str = "session_id", **others: str) -> Fix:
    files = Files({"a.py": text, **{f"{name}.py": other for name, other in others.items()}})
    syntax = files["a.py"]
    made = [node for node in syntax.walk(syntax.module) if isinstance(node, cst.Call)]
    value = next(node for node in made if syntax.code(node.func) == "Agent")
    return keep_one_for_each(syntax, value, key, files)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (BEFORE, AFTER),
        (BEFORE.replace("\n", "\r\n"), AFTER.replace("\n", "\r\n")),
        (BEFORE.replace("_agent is None", "not _agent"), AFTER),
        (BEFORE.replace("Agent | None =", "Optional[Agent] ="), AFTER),
        (BEFORE.replace(": Agent | None =", " ="), AFTER.replace("_agents: dict[str, Agent] =", "_agents =")),
        (
            BEFORE.replace("_lock = Lock()", "_lock, _agents = Lock(), 1"),
            AFTER.replace("_agents", "_agent_by_id").replace("_lock = Lock()", "_lock, _agents = Lock(), 1"),
        ),
    ],
)
def test_one_is_kept_for_each_id(before: str, after: str) -> None:
    fix = keyed(before)
    assert (fix.refused, fix.safety) == ("", Safety.SUGGESTED)
    result = apply(before, fix.edits)
    assert result == after
    compile(result, "a.py", "exec")
    assert comments(result) == comments(before)


@pytest.mark.parametrize(
    ("fix", "reason"),
    [
        (keyed(BEFORE, "user_id"), "`user_id` is no parameter at a.py:13"),
        (keyed(BEFORE + "\n\ndef close():\n    print(_agent)\n"), "`_agent` is used elsewhere too: a.py:18"),
        (keyed(BEFORE, b="from a import _agent\n\nprint(_agent)\n"), "`_agent` is used in b.py too"),
        (keyed(BEFORE.replace("| None = None", "= first")), "`_agent` does not begin as None in a.py"),
        (keyed(BEFORE.replace("global _agent\n", "global _agent, _lock\n")), "it is declared with others at a.py:10"),
    ],
)
def test_what_is_used_in_other_ways_is_refused(fix: Fix, reason: str) -> None:
    assert (fix.refused, fix.edits) == (reason, ())
