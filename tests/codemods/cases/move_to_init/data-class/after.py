# slot: Coach.turns
from dataclasses import dataclass, field


@dataclass(slots=True)
class Coach:
    name: str
    turns: list[str] = field(default_factory=make_turns)
