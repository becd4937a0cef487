# slot: Agent._cb
class Agent:
    def __init__(self):
        pass

    def route(self, request):
        async def generate():
            cb = request.callback
            try:
                await work()
                yield cb
            finally:
                pass

        return Stream(generate())
