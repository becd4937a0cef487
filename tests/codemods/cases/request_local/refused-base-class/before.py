# slot: Agent._user
# refused: a base class uses `_user` at before.py:5
class Base:
    def who(self):
        return self._user


class Agent(Base):
    def run(self, request):
        self._user = request.user
        return answer(self._user)
