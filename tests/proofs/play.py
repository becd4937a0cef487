"""A folder with `app.py` and `drive.py` to what its users see, as JSON: each alone, and both in turns.

`drive.py` has one function, `visit(app, name)`: what the user of that name is shown by the imported application, by a
coroutine on the event loop or by a plain function in a thread of its own. Each scenario imports the application afresh.
"""

import asyncio
import contextvars
import functools
import importlib
import inspect
import json
import os
import sys
from pathlib import Path
from typing import Any

import anyio.to_thread
import turns

USERS = ("ann", "bob")


async def _at_once(function: Any, *args: Any, **settings: Any) -> Any:
    """What a framework gives to a thread of its pool runs where it is: nobody could tell when such a thread is done."""
    return contextvars.copy_context().run(function, *args)


def seen_by(*names: str) -> list[Any]:
    """What users of a fresh application see who use it at the same time."""
    here = Path.cwd()
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if file and Path(file).parent == here:
            del sys.modules[name]
    app, drive = importlib.import_module("app"), importlib.import_module("drive")
    visits = [functools.partial(drive.visit, app, name) for name in names]
    if inspect.iscoroutinefunction(drive.visit):
        return asyncio.run(turns.together(visits))
    return turns.in_threads(visits)


if __name__ == "__main__":
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    anyio.to_thread.run_sync = _at_once
    sys.path.insert(0, str(Path.cwd()))
    alone = {name: seen_by(name)[0] for name in USERS}
    mixed = dict(zip(USERS, seen_by(*USERS), strict=True))
    print(json.dumps({"alone": alone, "together": mixed}), flush=True)
