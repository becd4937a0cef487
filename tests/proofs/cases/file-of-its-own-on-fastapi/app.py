# fix: Write it to a folder of its own
# rule: shared-file-path
from fastapi import FastAPI
from turns import pause

app = FastAPI()


@app.get("/greet")
async def note(user: str) -> str:
    with open("note.txt", "w") as file:
        file.write(f"a note of {user}")
    await pause()
    with open("note.txt") as file:
        return file.read()
