# slot: Encoder.models
# refused: `__init__` looks for what other objects left in `models`: before.py:10
class Encoder:
    """One model of a name for all."""

    models: dict[str, object] = {}

    def __init__(self, name: str) -> None:
        self.name = name
        if name not in self.models:
            self.models[name] = load(name)
        self.model = self.models[name]
