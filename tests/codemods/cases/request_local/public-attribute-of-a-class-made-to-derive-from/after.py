# slot: Server.path_params
# safety: suggested
class Server:
    def __init__(self):
        pass

    async def __call__(self, scope):
        path_params = scope["path"].split("/")
        while path_params:
            await self.handle(path_params.pop(0))

    async def handle(self, part): ...


class App(Server):
    async def handle(self, part):
        print(part)
