import gradio as gr


class Agent:
    def __init__(self) -> None:
        self.turns: dict[str, list[str]] = {}

    def say(self, message, conversation_id):
        self.turns.setdefault(conversation_id, []).append(message)
        return "\n".join(self.turns[conversation_id])

    def clear(self, conversation_id):
        self.turns.pop(conversation_id, None)


class Desk:
    def __init__(self) -> None:
        self.agent = Agent()
        self.conversation_id = "main"

    def say(self, message):
        return self.agent.say(message, self.conversation_id)

    def clear(self):
        self.agent.clear(self.conversation_id)
        return ""

    def build(self):
        with gr.Blocks() as demo:
            box = gr.Textbox()
            log = gr.Textbox()
            box.submit(self.say, box, log)
            gr.Button("clear").click(self.clear, None, log)
        return demo


demo = Desk().build()
