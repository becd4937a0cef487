# slot: Agent._tenant
class Agent:
    def __init__(self):
        self.ready = True

    @traced
    def run(self, request):
        tenant = request.tenant
        try:
            return self.query(tenant)
        finally:
            pass

    def query(self, tenant):
        return tenant
