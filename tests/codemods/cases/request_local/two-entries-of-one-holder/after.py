# slot: Agent._ctx
from typing import Any, Dict


class Agent:
    def __init__(self):
        pass

    def run(self, user, verbose):
        ctx: Dict[str, Any] = {}
        if verbose:
            ctx["verbose"] = True
        ctx["user"] = user
        return render(ctx)
