import gradio as gr


def build() -> gr.Blocks:
    with gr.Blocks() as demo:
        name, text = "", ""
        said = ""
        seen = ""
        box = gr.Textbox()

        def on_send(line: str) -> str:
            nonlocal said, seen
            said += line + "\n"
            first, seen = line.split(" ", 1)
            return first

        def on_clear() -> str:
            nonlocal said
            was = said
            said = ""
            return was + seen

        box.submit(fn=on_send, inputs=[box], outputs=[box])
        box.focus(fn=on_clear, outputs=[box])
    return demo


build().launch()
