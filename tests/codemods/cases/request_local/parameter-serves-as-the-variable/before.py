# slot: Chat.current_user
class Chat:
    current_user: str

    def answer(self, current_user, text):
        log(text)
        self.current_user = current_user
        return [greet(self.current_user, word) for word in text.split()] + [(lambda: self.current_user)()]
