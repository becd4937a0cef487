from fastapi import FastAPI
from sqlalchemy import create_engine, text
from sqlalchemy.orm import sessionmaker

app = FastAPI()
SessionLocal = sessionmaker(create_engine("postgresql:///shop"))
session = SessionLocal()


@app.get("/orders")
def orders():
    found = session.execute(text("select * from orders"))
    return {"orders": [row for row in found]}
