# slot: Tab._seen
class Tab:
    def run(self, words):
        seen = []
        for word in words:
            seen.append(word)
        return show(len(seen))
