from fastapi import FastAPI
from sqlalchemy import create_engine, text
from sqlalchemy.orm import sessionmaker

app = FastAPI()
SessionLocal = sessionmaker(create_engine("postgresql:///shop"))
session = SessionLocal()


@app.post("/done")
def done() -> str:
    session.commit()
    return "done"
