from fastapi import FastAPI
from sqlalchemy import create_engine, text
from sqlalchemy.orm import sessionmaker

app = FastAPI()
SessionLocal = sessionmaker(create_engine("postgresql:///shop"))
session = SessionLocal()


@app.get("/orders")
def orders() -> int:
    return count()


def count() -> int:
    return len(str(session.scalar(text("select count(*) from orders"))))


def report() -> None:
    print(count())


report()
