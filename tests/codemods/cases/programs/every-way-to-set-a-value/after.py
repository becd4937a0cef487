import gradio as gr


def build() -> gr.Blocks:
    with gr.Blocks() as demo:
        name, text = "", ""
        said_by_session = {}
        seen_by_session = {}
        box = gr.Textbox()
        takers = [box]

        def on_send(line: str, request: gr.Request) -> str:
            if request.session_hash not in said_by_session and len(said_by_session) >= 1000:
                del said_by_session[next(iter(said_by_session))]
            said_by_session[request.session_hash] = said_by_session.get(request.session_hash, "") + (line + "\n")
            if request.session_hash not in seen_by_session and len(seen_by_session) >= 1000:
                del seen_by_session[next(iter(seen_by_session))]
            first, seen_by_session[request.session_hash] = line.split(" ", 1)
            return first

        def on_clear(request: gr.Request) -> str:
            was = said_by_session.get(request.session_hash, "")
            if request.session_hash not in said_by_session and len(said_by_session) >= 1000:
                del said_by_session[next(iter(said_by_session))]
            said_by_session[request.session_hash] = ""
            return was + seen_by_session.get(request.session_hash, "")

        box.submit(fn=on_send, inputs=[box], outputs=takers)
        box.focus(fn=on_clear, outputs=takers)
    return demo


build().launch()
