# fix: Keep `topic` in `cl.user_session`
# rule: global-rebind
import chainlit as cl
from turns import pause

topic = ""


@cl.on_message
async def answer(message: cl.Message) -> None:
    global topic
    if message.content.startswith("topic: "):
        topic = message.content.removeprefix("topic: ")
    await pause()
    await cl.Message(content=f"on {topic}: {len(message.content)} letters").send()
