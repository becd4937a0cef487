# slot: Agent._notes
# refused: `_notes` grows at before.py:8 and nothing empties it
class Agent:
    def __init__(self):
        self._notes = []

    def add(self, note):
        self._notes.append(note)
        return "\n".join(self._notes)
