"""What listeners of a page share, to a component that keeps one for each session: plain programs, and why others stay.

What is refused here may still be kept under the id of the session: that is for the rule to try.
"""

import ast

import pytest
from leaklint.codemods.session_component import keep_in_component
from leaklint.finding import Fix
from leaklint.syntax import Files

from pairs import apply, suspect

PLAIN = """import gradio as gr

draft = ""


def write(line: str) -> str:
    global draft
    draft = line
    return "kept"


def read() -> str:
    return draft


with gr.Blocks() as demo:
    text = gr.Textbox()
    shown = gr.Textbox()
    text.submit(write, [text], [shown])
    text.focus(read, None, [shown])
"""


def converted(texts: dict[str, str], slot: str = "draft") -> Fix:
    """The conversion of what `slot` keeps."""
    return keep_in_component(suspect(texts, slot), Files(texts))


def after(text: str, slot: str = "draft") -> str:
    fix = converted({"app.py": text}, slot)
    assert fix.refused == ""
    result = apply(text, fix.edits)
    ast.parse(result)
    return result


def test_the_component_is_made_on_the_page_and_takes_the_place_of_the_name() -> None:
    result = after(PLAIN)
    assert "global" not in result
    assert "draft = " not in result.partition("def ")[0]
    assert result.partition("as demo:\n")[2].splitlines()[0] == '    draft_state = gr.State("")'
    assert "text.submit(write, [text], [shown, draft_state])" in result
    assert "text.focus(read, [draft_state], [shown])" in result


@pytest.mark.parametrize(
    ("old", "new", "wanted"),
    [
        ("(read, None, [shown])", "(read, outputs=shown)", "(read, outputs=shown, inputs=[draft_state])"),
        ("(read, None, [shown])", "(fn=read, inputs=[], outputs=[shown])", "inputs=[draft_state], outputs=[shown])"),
        ("write, [text], [shown]", "write, [text], [shown],", "write, [text], [shown, draft_state],"),
        ('return "kept"', "return gr.skip() if line else None", "return gr.skip() if line else None, draft"),
        ('return "kept"', "return line, 1", "return (line, 1), draft"),
        ('return "kept"', "return", "return None, draft"),
        (
            'return "kept"',
            'yield "kept"  # twice\n    yield line',
            'yield "kept", draft  # twice\n    yield line, draft',
        ),
        ("-> str:\n    global draft\n", "-> None:\n    global draft\n", "-> tuple[None, str]:"),
        ("def read() -> str", "def read(request: gr.Request) -> str", "def read(request: gr.Request, draft: str)"),
        (
            "def read() -> str",
            "def read(progress=gr.Progress()) -> str",
            "def read(draft: str, progress=gr.Progress())",
        ),
        ('\ndraft = ""', "\ndraft = None", "    draft_state = gr.State(None)"),
        ('\ndraft = ""', "\ndraft: str | None = None", "def read(draft: str | None) -> str:"),
        ("import gradio as gr", "from gradio import Blocks, State, Textbox", "    draft_state = State("),
        ("    return draft\n", "    return shout()\n\ndef shout():\n    return draft + '!'\n", "return shout(draft)"),
        ("    draft = line\n", "    if line:\n        draft = line\n", "def write(line: str, draft: str)"),
        ("    draft = line\n", "    draft += line\n", "def write(line: str, draft: str)"),
        (
            "text.focus(read, None, [shown])",
            "text.focus(read, None, [shown]).then(\n        read,\n        outputs=[shown],\n    )",
            "        inputs=[draft_state],\n",
        ),
    ],
)
def test_registrations_and_values_given_back_are_kept_as_they_are_written(old: str, new: str, wanted: str) -> None:
    assert old in PLAIN
    text = PLAIN.replace(old, new)
    if "State" in new:
        text = text.replace("gr.", "")
    assert wanted in after(text)


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("[text], [shown])", "[text], [shown], js='x => x')", "`js` rests on what is listed at app.py:19"),
        ("(read, None", "(read, {text}", "`inputs` is not written out at app.py:20"),
        ("(write, [text], [shown])", "(write, [text], [*boxes])", "`outputs` is not written out at app.py:19"),
        ("(write, [text], [shown])", "(write, *lists)", "what is passed is not written out at app.py:19"),
        ("(write, [text], [shown])", "(write, text, box(1))", "`outputs` is not written out at app.py:19"),
        (
            "    text = gr.Textbox()\n    shown = gr.Textbox()\n",
            "    text = gr.Textbox()\n    shown = some()\n    text.blur(write, text, shown)\n",
            "`outputs` is not written out at app.py:19",
        ),
        ("focus(read, None", "focus(lambda: read(), None", "`draft` is used by what no listener calls at app.py:20"),
        (
            "with gr.Blocks() as demo",
            "with page() as demo",
            "it is not seen on which page `text.submit` stands: app.py:19",
        ),
        ("    text.focus", "other = write\nwith demo:\n    text.focus", "`write` is used in another way at app.py:20"),
        ("    text.focus(", "    demo.unload(read)\n    text.focus(", "nothing can be listed at app.py:20"),
        (
            "    text.focus(",
            "with gr.Blocks() as second:\n    text.focus(",
            "`draft` is used on several pages",
        ),
        ('return "kept"', "return {shown: line}", "what it gives back may be a mapping at app.py:9"),
        ('return "kept"', "return *line, 1", "what it gives back is not written out at app.py:9"),
        ('return "kept"', "yield line\n    draft = ''", "nothing is given back for certain behind app.py:10"),
        ('return "kept"', "yield from line", "what it gives is not written out at app.py:9"),
        ('return "kept"', "def later():\n        global draft\n        draft = ''\n    later()", ""),
        ("    draft = line\n", "    keep(line)\n\ndef keep(line):\n    global draft\n    draft = line\n", ""),
        (
            "    return draft\n",
            "    for _ in range(9):\n        rest(draft)\n",
            "another event may set `draft` before it is read at app.py:14",
        ),
        (
            "def read() -> str:\n",
            "async def read() -> str:\n    await rest()\n",
            "another event may set `draft` before it is read at app.py:14",
        ),
        ("def read() -> str", "def read(*texts: str) -> str", "`read` takes what is given in another way: app.py:12"),
        ("def read() -> str", "def read(n=1) -> str", "which parameters of `read` are given is not clear: app.py:12"),
        ("def read() -> str", "@cached\ndef read() -> str", ""),
        (
            "    text = gr",
            "    gr.Markdown(draft)\n    text = gr",
            "`draft` is used by what no listener calls at app.py:17",
        ),
    ],
)
def test_what_is_not_plain_is_refused_with_its_place(old: str, new: str, reason: str) -> None:
    assert old in PLAIN
    text = PLAIN.replace(old, new, 1)
    if "n=1" in new:
        text = text.replace("(read, None", "(read, [text]")
    if "*line, 1" in new:
        text = text.replace("[text], [shown])", "[text], [shown, text])")
    fix = converted({"app.py": text})
    assert fix.edits == ()
    assert fix.refused
    assert fix.refused == reason or not reason


def test_a_page_of_another_file_lists_what_its_handlers_share() -> None:
    handlers, page = PLAIN.split("\n\n\nwith ")
    handlers = handlers.replace("import gradio as gr\n\n", "") + "\n"
    page = "import gradio as gr\n\nimport handlers\n\nwith " + page.replace("write,", "handlers.write,")
    page = page.replace("read,", "handlers.read,")
    texts = {"handlers.py": handlers, "page.py": page}
    fix = converted(texts)
    assert fix.refused == ""
    changed = {path: apply(text, [one for one in fix.edits if one.path == path]) for path, text in texts.items()}
    assert "def read(draft: str) -> str:\n    return draft\n" in changed["handlers.py"]
    assert "text.focus(handlers.read, [draft_state], [shown])" in changed["page.py"]
