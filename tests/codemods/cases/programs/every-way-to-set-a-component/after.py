import gradio as gr


def build() -> gr.Blocks:
    with gr.Blocks() as demo:
        name, text = "", ""
        said_state = gr.State("")
        seen_state = gr.State("")
        box = gr.Textbox()

        def on_send(line: str, said: str) -> tuple[str, str, str]:
            said += line + "\n"
            first, seen = line.split(" ", 1)
            return first, said, seen

        def on_clear(said: str, seen: str) -> tuple[str, str]:
            was = said
            said = ""
            return was + seen, said

        box.submit(fn=on_send, inputs=[box, said_state], outputs=[box, said_state, seen_state])
        box.focus(fn=on_clear, outputs=[box, said_state], inputs=[said_state, seen_state])
    return demo


build().launch()
