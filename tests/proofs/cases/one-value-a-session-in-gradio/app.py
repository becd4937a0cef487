# fix: Keep one `draft` for each session
# rule: global-rebind
import gradio as gr
from turns import pause

with gr.Blocks() as demo:
    text = gr.Textbox()
    shown = gr.Textbox()
    takers = [shown]
    draft = ""

    async def write(line: str) -> str:
        global draft
        draft = line
        await pause()
        return "kept"

    async def read() -> str:
        return draft

    text.submit(fn=write, inputs=[text], outputs=takers, api_name="write")
    text.focus(fn=read, outputs=[shown], api_name="read")
