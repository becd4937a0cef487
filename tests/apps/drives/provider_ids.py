"""Two customers in turns on every channel of the help desk."""

import time
from typing import Any
from unittest.mock import patch

from drive import play
from flask.testing import FlaskClient
from helpdesk import create_app

ANN = "ann's account is locked"
BOB = "bob's parcel is lost"
MANY = 2000


def client() -> FlaskClient:
    return create_app().test_client(use_cookies=False)


def post(http: FlaskClient, path: str, text: str, **headers: str) -> Any:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return http.post(path, json={"text": text}, headers=named).json


def in_turns(path: str, **headers: str) -> Any:
    """Ann and Bob begin on one channel within the same second, as the same user behind the same address."""
    http = client()
    with patch("time.time", return_value=1_700_000_000.0):
        ann = post(http, path, ANN, **headers)
        bob = post(http, path, BOB, **headers)
    return {"ann": ann, "bob": bob, "ann_later": post(http, f"/conversations/{ann['session_id']}/messages", "and now?")}


def channels() -> Any:
    """Every channel on which a customer begins without an id."""
    return {
        "web": in_turns("/web/chats"),
        "visits": in_turns("/web/visits"),
        "timestamp": in_turns("/mobile/chats"),
        "fixed": in_turns("/kiosk/chats"),
        "user": in_turns("/portal/chats", X_User="carol"),
        "user_drafts": in_turns("/portal/drafts", X_User="carol"),
        "browser": in_turns("/widget/chats", User_Agent="Browser 1.0"),
        "lounge": in_turns("/guests/lounge"),
        "tickets": in_turns("/tickets"),
        "call_backs": in_turns("/tickets/call-backs"),
        "drafts": in_turns("/tickets/drafts"),
        "partners_v1": in_turns("/partners/v1/messages"),
        "partners_v2": in_turns("/partners/v2/messages"),
        "partners_v3": in_turns("/partners/v3/messages"),
        "short_survey": in_turns("/surveys/short"),
        "long_survey": in_turns("/surveys/long"),
    }


def orders() -> Any:
    """Two orders without a session, and one in a session."""
    http = client()
    return {
        "ann": http.post("/partners/orders", json={"order": 1}).json,
        "bob": http.post("/partners/orders", json={"order": 2}).json,
        "in_session": http.post("/partners/sessions/shop-7/orders", json={"order": 3}).json,
    }


def named() -> Any:
    """Sessions that the caller names."""
    http = client()
    return {
        "partners_v1": post(http, "/partners/v1/messages", ANN, X_Session_Id="ann-session"),
        "partners_v2": http.post("/partners/v2/messages", json={"text": BOB, "session_id": "bob-session"}).json,
        "assistant": [
            post(http, "/assistants/ann-assistant/drafts", ANN),
            post(http, "/assistants/bob-assistant/drafts", BOB),
        ],
        "tutor": [
            post(http, "/assistants/ann-tutor/lessons", ANN),
            post(http, "/assistants/bob-tutor/lessons", BOB),
        ],
        "bot": [post(http, "/chatbot/ann-bot/messages", ANN), post(http, "/chatbot/bob-bot/messages", BOB)],
        "bot_again": post(http, "/chatbot/ann-bot/messages", "and now?"),
        "faq": [post(http, "/chatbot/ann-bot/questions", ANN), post(http, "/chatbot/bob-bot/questions", BOB)],
    }


def many() -> Any:
    """How many different ids many guests get."""
    http = client()
    return {
        path: len({post(http, path, "hello")["session_id"] for _ in range(MANY)})
        for path in ("/guests/chats", "/guests/short", "/web/chats")
    }


def worker() -> Any:
    """The first two calls that a freshly started worker takes, and its instance."""
    http = client()
    calls = [post(http, "/phone/calls", text)["session_id"] for text in (ANN, BOB)]
    numbers = [http.post("/phone/queue").json["shown_as"] for _ in range(2)]
    return {"calls": calls, "numbers": numbers, "instance": http.get("/health").headers["X-Instance"]}


def alone() -> Any:
    """One customer from beginning to end."""
    http = client()
    began = time.monotonic()
    chat = post(http, "/web/chats", ANN)
    path = f"/conversations/{chat['session_id']}"
    later = post(http, f"{path}/messages", "thanks")
    table = http.get("/exports/conversation.csv", query_string={"session_id": chat["session_id"]}).text
    archive = http.get(f"/surveys/archive/{chat['session_id']}").json
    shown = http.get(path).json
    closed = http.delete(path).status_code
    cookie = http.post("/web/visits", json={"text": ANN}, headers={"Cookie": "session_id=visit-1"}).json
    return {
        "chat": chat,
        "later": later,
        "shown": shown,
        "table": table.splitlines(),
        "archive": archive,
        "closed": closed,
        "gone": http.get(path).status_code,
        "visit": cookie["session_id"],
        "app_chat": post(http, "/mobile/chats", ANN)["took"] <= time.monotonic() - began,
        "health": http.get("/health").json,
    }


if __name__ == "__main__":
    play({"channels": channels, "orders": orders, "named": named, "many": many, "worker": worker, "alone": alone})
