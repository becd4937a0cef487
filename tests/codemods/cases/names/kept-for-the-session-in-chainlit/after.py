import chainlit as cl


@cl.on_message
async def answer(message: cl.Message) -> None:
    if message.content.startswith("topic:"):
        cl.user_session.set("topic", message.content)
    await cl.Message(content=f"{cl.user_session.get('topic', '')}: {message.content}").send()


@cl.on_chat_end
async def end() -> None:
    print(cl.user_session.get("topic", ""))
