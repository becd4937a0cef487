# slot: Agent._holder
# safety: suggested
class Agent:
    def __init__(self):
        pass

    def stream(self, cb):
        holder = {"cb": cb}
        return build(holder)

    def analyze(self, query):
        holder = {}
        if query:
            return build(holder).run(query)
        return None
