from fastapi import FastAPI
from sqlalchemy import create_engine, text
from sqlalchemy.orm import sessionmaker

app = FastAPI()
SessionLocal = sessionmaker(create_engine("postgresql:///shop"))


def save(item: str, db) -> int:
    db.execute(text("insert into orders (item) values (:item)"), {"item": item})
    return done(item, db)


def done(item, db):
    # the end of it
    db.commit()
    return len(item)


@app.post("/orders")
def order(item: str) -> int:
    item = item.strip()

    with SessionLocal() as db:
        # first look, then add
        if db.scalar(text("select 1 from orders")):
            return 0
        return save(item, db)
