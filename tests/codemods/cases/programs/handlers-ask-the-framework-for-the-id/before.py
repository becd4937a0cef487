import gradio as gr

turns: dict[str, list[str]] = {}


class Desk:
    def __init__(self) -> None:
        self.title = "Desk"
        self.conversation_id = "main"

    def say(self, message):
        turns.setdefault(self.conversation_id, []).append(message)
        return self.shown()

    def clear(self):
        turns.pop(self.conversation_id, None)
        return ""

    def shown(self):
        return "\n".join(turns[self.conversation_id])

    def build(self):
        with gr.Blocks(title=self.title) as demo:
            box = gr.Textbox()
            log = gr.Textbox()
            box.submit(self.say, box, log)
            gr.Button("clear").click(self.clear, None, log)
        return demo


demo = Desk().build()
