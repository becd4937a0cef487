# slot: Agent._cb
class Agent:
    def __init__(self):
        self._cb = None

    def route(self, request):
        async def generate():
            self._cb = request.callback
            try:
                await work()
                yield self._cb
            finally:
                self._cb = None

        return Stream(generate())
