from flask import Flask, request


def create_app() -> Flask:
    app = Flask(__name__)
    kept = ""

    @app.post("/keep")
    def keep() -> str:
        nonlocal kept
        kept = request.form["text"]
        return kept

    @app.post("/restore")
    def restore() -> str:
        return kept

    return app
