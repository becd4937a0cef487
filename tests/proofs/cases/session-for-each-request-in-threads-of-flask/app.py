# fix: Open `session` for each request
# rule: shared-database-session
# shows: lost work
from flask import Flask, request
from sqlalchemy import create_engine
from sqlalchemy.orm import sessionmaker
from turns import rest

app = Flask(__name__)
engine = create_engine("sqlite://")
Session = sessionmaker(bind=engine)
session = Session()


@app.post("/orders")
def order() -> list[str]:
    user = request.form["user"]
    session.add(f"{user}'s {request.form['item']}")
    rest()
    if not finish(request.form["item"]):
        return ["sold out"]
    return [str(row) for row in session.scalars() if row.startswith(user)]


def finish(item: str) -> bool:
    if item == "cake":
        session.rollback()
        return False
    session.commit()
    return True
