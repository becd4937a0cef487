# slot: Interface.last_response
class Interface:
    def __init__(self, model):
        self._model = model

    async def respond(self, message):
        last_response = ""
        async for text in self._model.stream(message):
            last_response = text
            yield text, "..."
        yield last_response, self._footer(last_response)

    def _footer(self, last_response):
        return f"{len(last_response.split())} words"
