from fastapi import FastAPI
from fastapi.responses import FileResponse

app = FastAPI()


@app.post("/note")
def note(text: str) -> FileResponse:
    with open("static/note.txt", "w") as file:
        file.write(text)
    return FileResponse("static/note.txt")
