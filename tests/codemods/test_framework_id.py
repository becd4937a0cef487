"""An attribute with one id for all, to the session id of the request that the framework hands over."""

from leaklint.codemods.framework_id import use_framework_id
from leaklint.codemods.session_key import SessionKeys
from leaklint.finding import Fix, Safety
from leaklint.project.suspect import Access, Passing, Use
from leaklint.syntax import Files

from pairs import apply, comments

TAB = """import pages as pg


class Tab:
    def __init__(self) -> None:
        self.title = "Chat"
        self.session_id = "default"  # c

    def clear(self, request: pg.Request) -> None:
        memory.forget(self.session_id)

    async def stream(self, text: str, shown: pg.Request):
        async for word in agent.stream(text, self.session_id):
            yield word
"""


def fixed(text: str, covered: bool = True) -> Fix:
    files = Files({"tab.py": text})
    syntax = files["tab.py"]
    nodes = [node for node in syntax.walk(syntax.module) if syntax.code(node).strip() == "self.session_id"]
    spans = sorted({syntax.span(node) for node in nodes if syntax.code(node) == "self.session_id"})
    uses = [
        Use(Access.READ if number else Access.STORE, span, span, "tab.Tab", covered)
        for number, span in enumerate(spans)
    ]
    keys = SessionKeys(files, Passing(), lambda name: False)
    return use_framework_id(files, uses, "pages.Request", "request.session_hash", keys)


def test_reads_ask_the_request_by_the_name_it_has() -> None:
    fix = fixed(TAB)
    assert (fix.refused, fix.safety) == ("", Safety.SUGGESTED)
    after = apply(TAB, fix.edits)
    assert after == TAB.replace('self.session_id = "default"  # c', "# c").replace(
        "forget(self.session_id)", "forget(request.session_hash)"
    ).replace("text, self.session_id", "text, shown.session_hash")
    compile(after, "tab.py", "exec")
    assert comments(after) == comments(TAB)


def test_a_reader_without_the_request_is_refused() -> None:
    fix = fixed(TAB.replace("self, request: pg.Request", "self"))
    assert (fix.refused, fix.edits) == ("no id of the session is at hand at tab.py:10", ())


def test_an_attribute_of_who_knows_what_is_refused() -> None:
    assert fixed(TAB, covered=False).refused == "nobody knows whose attribute it is at tab.py:7"


def test_an_attribute_that_nobody_reads_is_refused() -> None:
    assert fixed(TAB.partition("    def clear")[0]).refused == "it is not set once and read elsewhere"
