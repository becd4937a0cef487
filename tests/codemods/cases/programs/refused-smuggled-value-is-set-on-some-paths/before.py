from flask import Flask, request

app = Flask(__name__)


class Reader:
    def __init__(self) -> None:
        self._text = ""

    def read(self, text: str) -> None:
        if text:
            self._text = text.upper()


reader = Reader()


@app.post("/read")
def read() -> str:
    reader.read(request.form["text"])
    return reader._text
