from telegram import Update
from telegram.ext import Application, CommandHandler, ContextTypes

wish = None
tries = 0


async def ask(update: Update, context: ContextTypes.DEFAULT_TYPE) -> None:
    global wish
    wish = update.message.text  # as it came
    await update.message.reply_text("Sure?")


async def confirm(update: Update, context: ContextTypes.DEFAULT_TYPE) -> None:
    if not wish:
        return
    await update.message.reply_text(f"You wanted {wish}")


def main() -> None:
    application = Application.builder().token("x").build()
    application.add_handler(CommandHandler("ask", ask))
    application.add_handler(CommandHandler("confirm", confirm))
    application.run_polling()


main()
