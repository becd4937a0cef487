import gradio as gr


def build() -> gr.Blocks:
    with gr.Blocks() as demo:
        lines: list[str] = []
        box = gr.Textbox()

        def on_send(text: str) -> str:
            lines.append(text)
            return "\n".join(lines)

        def on_twice(text: str) -> str:
            return on_send(text) + on_send(text)

        box.submit(fn=on_send, inputs=[box], outputs=[box])
        box.focus(fn=on_twice, inputs=[box], outputs=[box])
    return demo


build().launch()
