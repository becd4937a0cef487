# slot: Tab._seen
class Tab:
    def __init__(self):
        pass

    def run(self, words):
        log(words)
        seen = {}
        for word in words:
            seen[word] = len(word)
            seen.setdefault("", 0)
        return show(seen)
