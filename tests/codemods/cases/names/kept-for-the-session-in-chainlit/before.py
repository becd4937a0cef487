import chainlit as cl

topic = ""


@cl.on_message
async def answer(message: cl.Message) -> None:
    global topic
    if message.content.startswith("topic:"):
        topic = message.content
    await cl.Message(content=f"{topic}: {message.content}").send()


@cl.on_chat_end
async def end() -> None:
    print(topic)
