from fastapi import FastAPI


def create_app() -> FastAPI:
    app = FastAPI()
    topic_by_session = {}

    @app.post("/about/{session_id}")
    async def about(session_id: str, text: str) -> None:
        if session_id not in topic_by_session and len(topic_by_session) >= 1000:
            del topic_by_session[next(iter(topic_by_session))]
        class Keeper:
            def keep(self) -> None:
                topic_by_session[session_id] = text

        Keeper().keep()

    @app.get("/about/{session_id}")
    async def said(session_id: str) -> str:
        return topic_by_session.get(session_id, "")

    return app


app = create_app()
