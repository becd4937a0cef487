from fastapi import FastAPI
from fastapi.responses import FileResponse

app = FastAPI()


@app.post("/note")
def note(text: str) -> FileResponse:
    with open("note.txt", "w") as file:
        file.write(text)
    return FileResponse("note.txt")


def clean() -> None:
    open("note.txt", "w").close()
