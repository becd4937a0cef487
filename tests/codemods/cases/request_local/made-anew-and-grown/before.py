# slot: Tab._seen
class Tab:
    _seen: list

    def run(self, words):
        self._seen = []
        for word in words:
            self._seen.append(word)
        return show(len(self._seen))
