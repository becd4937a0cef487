"""A user's mistake as one line and a hint, and the nearest known name to a mistyped one.

Nothing here prints or exits: `cli` does both.
"""

from __future__ import annotations

from collections.abc import Iterable


class UserError(Exception):
    """What the user can put right: usage, configuration, a missing path. Ends the run with exit code 2."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


def nearest(name: str, known: Iterable[str]) -> str:
    """The known name that `name` was most likely meant to be, or the empty string."""
    import difflib  # 10 ms that only a mistake pays

    matches = difflib.get_close_matches(name.lower(), sorted(known), n=1, cutoff=0.6)
    return matches[0] if matches else ""


def did_you_mean(name: str, known: Iterable[str], otherwise: str = "") -> str:
    """The hint for an unknown `name`: the nearest known one, else `otherwise`."""
    names = sorted(known)
    if match := nearest(name, names):
        return f"did you mean `{match}`?"
    return otherwise or ("known: " + ", ".join(names) if names else "")
