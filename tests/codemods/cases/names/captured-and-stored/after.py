from flask import Flask, request


def create_app() -> Flask:
    app = Flask(__name__)

    @app.post("/sit")
    def sit() -> str:
        user = request.form["user"]
        return f"Hello {user}"

    return app
