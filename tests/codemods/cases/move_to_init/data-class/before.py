# slot: Coach.turns
from dataclasses import dataclass


@dataclass(slots=True)
class Coach:
    name: str
    turns: list[str] = make_turns()
