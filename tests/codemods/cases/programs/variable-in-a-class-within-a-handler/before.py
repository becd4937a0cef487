from fastapi import FastAPI


def create_app() -> FastAPI:
    app = FastAPI()
    topic = ""

    @app.post("/about/{session_id}")
    async def about(session_id: str, text: str) -> None:
        class Keeper:
            def keep(self) -> None:
                nonlocal topic
                topic = text

        Keeper().keep()

    @app.get("/about/{session_id}")
    async def said(session_id: str) -> str:
        return topic

    return app


app = create_app()
