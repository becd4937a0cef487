# slot: Agent._lang
# refused: `ask` may read what an earlier call left in `_lang` at before.py:10
class Agent:
    def __init__(self):
        self._lang = "en"

    def ask(self, query, lang=None):
        if lang:
            self._lang = lang
        return render(query, self._lang)
