# slot: Service.registration
class Service:
    registration: Registration

    def register(self, registration: Registration) -> None:
        self.registration = registration
        self._create(new=True)

    def _create(self, new: bool) -> User:
        return User(self.registration.email, new)
