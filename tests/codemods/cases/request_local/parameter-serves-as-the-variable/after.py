# slot: Chat.current_user
class Chat:
    def answer(self, current_user, text):
        log(text)
        return [greet(current_user, word) for word in text.split()] + [(lambda: current_user)()]
