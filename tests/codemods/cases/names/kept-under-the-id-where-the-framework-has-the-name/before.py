import chainlit as cl

user = ""


@cl.on_message
async def answer(message: cl.Message) -> None:
    global user
    if message.content.startswith("user:"):
        user = message.content
    await cl.Message(content=f"{user}: {message.content}").send()


@cl.on_chat_end
async def end() -> None:
    print(user)
