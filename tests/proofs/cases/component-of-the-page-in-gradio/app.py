# fix: Keep `_lines` in `gr.State` among the inputs and outputs
# fix: Keep `draft` in `gr.State` among the inputs and outputs
# rule: shared-attribute-write
# rule: shared-container-write
from collections.abc import AsyncIterator

import gradio as gr
from turns import pause


class Diary:
    def __init__(self) -> None:
        self._lines: list[str] = []
        self.draft = ""

    async def write(self, line: str, request: gr.Request) -> str:
        self.draft = line
        await pause()
        if not request.username:
            return f"{self.length()} letters"
        self.draft += "!"
        return f"{self.length()} loud letters"

    def length(self) -> int:
        return len(self.draft)

    async def keep(self) -> AsyncIterator[str]:
        self._lines.append(self.draft)
        await pause()
        yield self.shown()
        self.draft = "nothing more"
        yield self.shown()

    def shown(self) -> str:
        return ", ".join(self._lines)

    def read(self) -> tuple[str, str]:
        return self.draft, f"{len(self._lines)} lines"

    def page(self) -> gr.Blocks:
        with gr.Blocks() as demo:
            text = gr.Textbox()
            shown = gr.Textbox()
            text.submit(self.write, text, shown, api_name="write")
            text.blur(self.keep, outputs=[shown], api_name="keep")
            text.focus(
                fn=self.read,
                outputs=[
                    text,
                    shown,
                ],
                api_name="read",
            )
        return demo


demo = Diary().page()
