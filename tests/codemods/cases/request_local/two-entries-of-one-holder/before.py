# slot: Agent._ctx
from typing import Any, Dict


class Agent:
    def __init__(self):
        self._ctx: Dict[str, Any] = {}

    def run(self, user, verbose):
        if verbose:
            self._ctx["verbose"] = True
        self._ctx["user"] = user
        return render(self._ctx)
