from typing import Any

import gradio as gr
from gradio.state_holder import SessionState

EVENTS = (("write", 1), ("keep", 1), ("keep", 1), ("read", 2), ("write", 1), ("read", 2))  # and what is shown


async def visit(app: Any, name: str) -> list[Any]:
    """The user writes, keeps what is written, and looks at it, twice; what is kept for the session is not shown."""
    listeners = {listener.api_name: listener for listener in app.demo.fns.values()}
    state = SessionState(app.demo)
    seen = []
    for event, taken in EVENTS:
        said = [f"{name}'s letter"] * len(listeners[event].inputs)
        request = gr.Request(session_hash=f"{name}-session", username=None)
        iterator = None
        while True:
            done = await app.demo.process_api(
                listeners[event], said, state=state, request=request, iterator=iterator, simple_format=False
            )
            seen += done["data"][:taken]
            iterator = done.get("iterator")
            if not done["is_generating"]:
                break
    return seen
