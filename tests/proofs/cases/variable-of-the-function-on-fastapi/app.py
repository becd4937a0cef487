# fix: Make `language` a variable of the function
# rule: global-rebind
from fastapi import FastAPI
from turns import pause

app = FastAPI()
language = "en"


@app.get("/greet")
async def greet(user: str) -> str:
    global language
    language = f"{user}'s"
    await pause()
    return f"Hello in {language} language"
