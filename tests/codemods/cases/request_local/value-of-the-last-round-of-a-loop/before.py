# slot: Interface.last_response
class Interface:
    def __init__(self, model):
        self._model = model
        self.last_response = ""

    async def respond(self, message):
        async for text in self._model.stream(message):
            self.last_response = text
            yield text, "..."
        yield self.last_response, self._footer()

    def _footer(self):
        return f"{len(self.last_response.split())} words"
