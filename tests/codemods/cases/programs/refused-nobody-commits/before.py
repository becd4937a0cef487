from fastapi import FastAPI
from sqlalchemy import create_engine, text
from sqlalchemy.orm import sessionmaker

app = FastAPI()
SessionLocal = sessionmaker(create_engine("postgresql:///shop"))
session = SessionLocal()


@app.post("/orders")
def order(item: str) -> str:
    session.add(item)
    return item


@app.post("/done")
def done() -> str:
    session.merge("done")
    session.commit()
    return "done"
