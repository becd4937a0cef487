# slot: Agent._user
class Agent:
    def __init__(self):
        self._user = None

    def answer(self, name):
        user = name.title()
        self._user = lookup(user)

        def inner():
            return self._user.greeting

        return inner()
