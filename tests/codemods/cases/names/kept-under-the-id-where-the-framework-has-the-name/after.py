import chainlit as cl

user_by_session = {}


@cl.on_message
async def answer(message: cl.Message) -> None:
    if cl.user_session.get("id") not in user_by_session and len(user_by_session) >= 1000:
        del user_by_session[next(iter(user_by_session))]
    if message.content.startswith("user:"):
        user_by_session[cl.user_session.get("id")] = message.content
    await cl.Message(content=f"{user_by_session.get(cl.user_session.get('id'), '')}: {message.content}").send()


@cl.on_chat_end
async def end() -> None:
    print(user_by_session.get(cl.user_session.get("id"), ""))
