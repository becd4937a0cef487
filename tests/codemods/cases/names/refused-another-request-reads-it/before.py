from flask import Flask, request

app = Flask(__name__)


class Document:
    def __init__(self, text: str) -> None:
        self.text = text


_document: Document | None = None


@app.post("/open")
def open_document() -> str:
    global _document
    _document = Document(request.form["text"])  # leak: global-rebind
    return "open"


@app.get("/read")
def read() -> str:
    return _document.text if _document is not None else ""
