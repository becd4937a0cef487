# fix: Use `request.session_hash`
# rule: constant-session-id
import gradio as gr
from turns import pause

histories: dict[str, list[str]] = {}


def remember(session_id: str, line: str) -> list[str]:
    histories.setdefault(session_id, []).append(line)
    while len(histories) > 100:
        histories.pop(next(iter(histories)))
    return histories[session_id]


with gr.Blocks() as demo:
    text = gr.Textbox()
    shown = gr.Textbox()

    async def write(line: str) -> str:
        lines = remember("default", line)
        await pause()
        return " / ".join(lines)

    text.submit(fn=write, inputs=[text], outputs=[shown], api_name="write")
