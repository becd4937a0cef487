from flask import Flask, request

app = Flask(__name__)


class Reader:
    def __init__(self) -> None:
        self.pages = 0

    def read(self, text: str):
        """Read it."""
        request_text = text.upper()  # as it is said
        self.pages += 1
        if self.pages > 100:
            print("many")
        return request_text

    def both(self, text: str) -> str:
        request_text = self.read(text)
        return request_text + request_text


reader = Reader()


@app.post("/read")
def read() -> str:
    text = reader.read(request.form["text"])
    if not text:
        return "nothing"
    return "read: " + text


@app.post("/both")
def both() -> str:
    return reader.both(request.form["text"])
