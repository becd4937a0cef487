# slot: Callback.last_tag
# refused: `progress` may read what an earlier call left in `last_tag` at before.py:12
class Callback:
    def __init__(self):
        self.last_tag = "start"

    def progress(self, tag):
        try:
            extend_lock()
            self.last_tag = tag
        except LockError:
            log(self.last_tag)
