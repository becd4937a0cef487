from telegram import Update
from telegram.ext import Application, CommandHandler, ContextTypes

wish_by_session = {}
tries = 0


async def ask(update: Update, context: ContextTypes.DEFAULT_TYPE) -> None:
    if update.effective_user.id not in wish_by_session and len(wish_by_session) >= 1000:
        del wish_by_session[next(iter(wish_by_session))]
    wish_by_session[update.effective_user.id] = update.message.text  # as it came
    await update.message.reply_text("Sure?")


async def confirm(update: Update, context: ContextTypes.DEFAULT_TYPE) -> None:
    if not wish_by_session.get(update.effective_user.id):
        return
    await update.message.reply_text(f"You wanted {wish_by_session.get(update.effective_user.id)}")


def main() -> None:
    application = Application.builder().token("x").build()
    application.add_handler(CommandHandler("ask", ask))
    application.add_handler(CommandHandler("confirm", confirm))
    application.run_polling()


main()
