from flask import Flask, request


def create_app() -> Flask:
    app = Flask(__name__)
    user = ""

    @app.post("/sit")
    def sit() -> str:
        nonlocal user
        user = request.form["user"]
        return f"Hello {user}"

    return app
