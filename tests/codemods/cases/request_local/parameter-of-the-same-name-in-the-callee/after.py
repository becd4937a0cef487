# slot: Service.registration
class Service:
    def register(self, registration: Registration) -> None:
        self._create(new=True, registration=registration)

    def _create(self, new: bool, registration: Registration) -> User:
        return User(registration.email, new)
