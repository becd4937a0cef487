# slot: Server.path_params
# safety: suggested
class Server:
    def __init__(self):
        self.path_params = []

    async def __call__(self, scope):
        self.path_params = scope["path"].split("/")
        while self.path_params:
            await self.handle(self.path_params.pop(0))

    async def handle(self, part): ...


class App(Server):
    async def handle(self, part):
        print(part)
