# slot: Agent._tenant
class Agent:
    def __init__(self):
        self._tenant = None
        self.ready = True

    @traced
    def run(self, request):
        setattr(self, "_tenant", request.tenant)
        try:
            return self.query(getattr(self, "_tenant"))
        finally:
            self._tenant = None

    def query(self, tenant):
        return tenant
