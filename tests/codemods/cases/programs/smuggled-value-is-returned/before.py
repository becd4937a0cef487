from flask import Flask, request

app = Flask(__name__)


class Reader:
    def __init__(self) -> None:
        self.pages = 0
        self._text = ""

    def read(self, text: str) -> None:
        """Read it."""
        self._text = text.upper()  # as it is said
        self.pages += 1
        if self.pages > 100:
            print("many")

    def both(self, text: str) -> str:
        self.read(text)
        return self._text + self._text


reader = Reader()


@app.post("/read")
def read() -> str:
    reader.read(request.form["text"])
    if not reader._text:
        return "nothing"
    return "read: " + reader._text


@app.post("/both")
def both() -> str:
    return reader.both(request.form["text"])
