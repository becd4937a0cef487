from typing import Any

import gradio as gr
from gradio.state_holder import SessionState


async def visit(app: Any, name: str) -> list[Any]:
    listeners = {listener.api_name: listener for listener in app.demo.fns.values()}
    state = SessionState(app.demo)
    seen = []
    for line in (f"{name}'s first", f"{name}'s second"):
        request = gr.Request(session_hash=f"{name}-session", username=None)
        done = await app.demo.process_api(listeners["write"], [line], state=state, request=request, simple_format=False)
        seen += done["data"]
    return seen
