import gradio as gr

turns: dict[str, list[str]] = {}


class Desk:
    def __init__(self) -> None:
        self.title = "Desk"

    def say(self, message, request: gr.Request):
        turns.setdefault(request.session_hash, []).append(message)
        return self.shown(request.session_hash)

    def clear(self, request: gr.Request):
        turns.pop(request.session_hash, None)
        return ""

    def shown(self, session_id):
        return "\n".join(turns[session_id])

    def build(self):
        with gr.Blocks(title=self.title) as demo:
            box = gr.Textbox()
            log = gr.Textbox()
            box.submit(self.say, box, log)
            gr.Button("clear").click(self.clear, None, log)
        return demo


demo = Desk().build()
