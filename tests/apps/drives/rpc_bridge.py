"""Drives the RPC bridge: two notebooks of one login session, and bridges of other hosts at the worker."""

from typing import Any

import httpx
from bridge.app import create_app
from drive import play

LOGIN = "team-login"
ANN = {"session_id": "ann-notebook"}
BOB = {"session_id": "bob-notebook"}


class Page:
    """A notebook page: sends the login session along, and its own session where it names one."""

    def __init__(self) -> None:
        transport = httpx.ASGITransport(app=create_app())
        self._http = httpx.AsyncClient(
            transport=transport, base_url="http://bridge", headers={"x-login-session": LOGIN}
        )

    async def post(self, path: str, runtime: dict[str, str] | None = None, **body: Any) -> Any:
        response = await self._http.post(path, json={**body, "runtime": runtime or {}})
        return response.json()

    async def get(self, path: str) -> Any:
        return (await self._http.get(path)).json()

    async def delete(self, path: str) -> Any:
        return (await self._http.delete(path)).json()

    async def rpc(self, **arguments: Any) -> Any:
        return (await self._http.post("/worker/rpc", json=arguments)).json()


async def alone() -> Any:
    """One page that names no session of its own, over all twelve call paths."""
    page = Page()
    notes = await page.post("/calls/function", name="remember", args=["milk"])
    dynamic = await page.post("/calls/dynamic", module="maths", name="add", args=[1, 2])
    notebook = await page.post("/calls/class", name="Notebook", args=["shopping"])
    stream = await page.post("/streams", name="replay")
    return {
        "notes": notes["result"],
        "dynamic": dynamic["result"],
        "helper": (await page.post("/calls/helper", name="summary"))["result"],
        "attr": (await page.post("/modules/attr", name="latest"))["result"],
        "attr_by_path": (await page.post("/modules/attr-by-path", module="maths", name="pi"))["result"],
        "method": (await page.post("/refs/method", ref=notebook, name="write", args=["eggs"]))["result"],
        "set_attr": (await page.post("/refs/set-attr", ref=notebook, name="title", value="list"))["result"],
        "get_attr": (await page.post("/refs/get-attr", ref=notebook, name="lines"))["result"],
        "attributes": await page.post("/refs/attributes", ref=notebook),
        "describe": await page.post("/refs/describe", ref=notebook),
        "release": (await page.post("/refs/release", ref=notebook))["result"],
        "items": [(await page.post("/streams/next", ref=stream))["result"] for _ in range(2)],
        "cancel": (await page.post("/streams/cancel", ref=stream))["result"],
        "sessions": [notes["session_id"], dynamic["session_id"], notebook["session_id"], stream["session_id"]],
        "ended": (await page.delete(f"/sessions/{LOGIN}"))["result"],
        "info": (await page.get("/worker/info"))["result"],
        "health": await page.get("/health"),
    }


async def notebooks() -> Any:
    """Two pages of one login, each with the session of its notebook, in turns; then what Ann's page gets."""
    page = Page()
    await page.post("/calls/function", ANN, name="remember", args=["ann's diary"])
    bob = await page.post("/calls/function", BOB, name="remember", args=["bob's plan"])
    ann = await page.post("/calls/function", ANN, name="remember", args=["ann's list"])
    notebook = await page.post("/calls/class", ANN, name="Notebook", args=["ann"])
    lines = await page.post("/refs/get-attr", ref=notebook, name="lines")
    stream = await page.post("/streams", ANN, name="replay")
    item = await page.post("/streams/next", ref=stream)
    return {
        "ann": shown(ann),
        "bob": shown(bob),
        "class": shown(lines),
        "stream": shown(item),
        "helper": shown(await page.post("/calls/helper", ANN, name="summary")),
        "attr": shown(await page.post("/modules/attr", ANN, name="latest")),
        "attr_bob": shown(await page.post("/modules/attr", BOB, name="latest")),
        "attr_by_path": shown(await page.post("/modules/attr-by-path", ANN, module="notes", name="latest")),
        "attr_by_path_bob": shown(await page.post("/modules/attr-by-path", BOB, module="notes", name="latest")),
    }


async def right_paths() -> Any:
    """The paths that resolve the session: each names Ann's."""
    page = Page()
    notes = await page.post("/calls/dynamic", ANN, module="notes", name="remember", args=["ann's diary"])
    made = await page.rpc(call_type="class", module="notes", name="Notebook", args=["ann"], **ANN)
    ref = {"ref_id": made["result"], "session_id": "ann-notebook"}
    bare = {"ref_id": made["result"]}
    streamed = await page.rpc(call_type="stream", module="notes", name="replay", **ANN)
    stream = {"ref_id": streamed["result"]}
    replies = {
        "dynamic": notes,
        "method": await page.post("/refs/method", ANN, ref=bare, name="write", args=["more"]),
        "get_attr": await page.post("/refs/get-attr", ANN, ref=bare, name="lines"),
        "get_attr_of_ref": await page.post("/refs/get-attr", ref=ref, name="lines"),
        "set_attr": await page.post("/refs/set-attr", ANN, ref=bare, name="title", value="diary"),
        "stream_next": await page.post("/streams/next", ANN, ref=stream),
        "release": await page.post("/refs/release", ANN, ref=bare),
    }
    return {name: [reply["session_id"], reply["routed_by"]] for name, reply in replies.items()}


async def explorer() -> Any:
    """Bob's page explores an object that Ann made; hers explores it too."""
    page = Page()
    made = await page.rpc(call_type="class", module="notes", name="Notebook", args=["ann's diary"], **ANN)
    ref = {"ref_id": made["result"], "session_id": "ann-notebook"}
    return {
        "attributes_bob": await page.post("/refs/attributes", BOB, ref=ref),
        "describe_bob": await page.post("/refs/describe", BOB, ref=ref),
        "describe_ann": await page.post("/refs/describe", ANN, ref=ref),
    }


async def cancelled_stream() -> Any:
    """A stream of Ann's is cancelled by a call that names another session."""
    page = Page()
    streamed = await page.rpc(call_type="stream", module="notes", name="replay", **ANN)
    ref = {"ref_id": streamed["result"], "session_id": "ann-notebook"}
    return await page.post("/streams/cancel", BOB, ref=ref)


async def nameless() -> Any:
    """Two bridges of other hosts that send no session, and one that does."""
    page = Page()
    first = await page.rpc(call_type="function", module="notes", name="remember", args=["ann's diary"])
    second = await page.rpc(call_type="function", module="notes", name="remember", args=["bob's plan"])
    again = await page.rpc(
        call_type="function",
        module="notes",
        name="remember",
        args=["ann's list"],
        session_id=first["session_id"],
    )
    return {"first": first, "second": second, "again": again}


def shown(reply: dict[str, Any]) -> list[Any]:
    return [reply["session_id"], reply["result"]]


if __name__ == "__main__":
    play(
        {
            "alone": alone,
            "notebooks": notebooks,
            "right_paths": right_paths,
            "explorer": explorer,
            "cancelled_stream": cancelled_stream,
            "nameless": nameless,
        }
    )
