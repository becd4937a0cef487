from fastapi import Depends, FastAPI
from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session, sessionmaker

app = FastAPI()
SessionLocal = sessionmaker(create_engine("postgresql:///shop"))
session = SessionLocal()


def get_db():
    db = SessionLocal()
    try:
        yield db
    finally:
        db.close()


@app.get("/orders")
def orders(db: Session = Depends(get_db)) -> int:
    return db.scalar(text("select count(*) from orders"))


@app.post("/orders")
def order(item: str, count: int = 1) -> str:
    session.execute(text("insert into orders (item) values (:item)"), {"item": item})
    session.commit()
    return item
