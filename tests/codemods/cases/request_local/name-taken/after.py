# slot: Agent._user
class Agent:
    def __init__(self):
        pass

    def answer(self, name):
        user = name.title()
        request_user = lookup(user)

        def inner():
            return request_user.greeting

        return inner()
