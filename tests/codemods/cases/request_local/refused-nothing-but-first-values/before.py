# slot: Checks.limit
# refused: nothing but first values is stored in `limit`: before.py:5


class Checks:
    def first(self):
        self.limit = None
        run()

    def second(self):
        self.limit = None
        run()
