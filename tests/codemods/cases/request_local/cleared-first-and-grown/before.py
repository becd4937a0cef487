# slot: Tab._seen
class Tab:
    def __init__(self):
        self._seen = {}

    def run(self, words):
        log(words)
        self._seen.clear()
        for word in words:
            self._seen[word] = len(word)
            self._seen.setdefault("", 0)
        return show(self._seen)
