# slot: Agent._callbacks
# refused: `_callbacks` holds more than one entry at before.py:8
class Agent:
    def __init__(self):
        self._callbacks = {}

    def run(self, session_id, callback):
        self._callbacks[session_id] = callback
        return build(self._callbacks)
