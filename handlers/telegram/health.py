"""What the library's errors mean."""

from __future__ import annotations

from telegram.error import BadRequest, ChatMigrated, Conflict, Forbidden, InvalidToken, RetryAfter, TelegramError


def seconds(error: RetryAfter) -> float:
    """How long a flood control lasts."""
    after = error.retry_after
    return float(after) if isinstance(after, int) else after.total_seconds()


def explained(error: Exception) -> str:
    """A failure in words for people. They name no token, and stay the same as long as the failure does."""
    match error:
        case InvalidToken():
            return "Telegram refuses the bot's token: check telegram.token."
        case Conflict():
            return "Another program reads this bot's messages: stop it, or give each its own token."
        case ChatMigrated():
            return (
                f"The Telegram group has become a supergroup: set telegram.chat_id to {error.new_chat_id} and restart."
            )
        case RetryAfter():
            return "Telegram asks the bot to slow down."
        case Forbidden() | BadRequest():
            return f"Telegram refuses: {error.message}."
        case TelegramError():
            return "Telegram cannot be reached."
        case _:
            return "Telegram answers nonsense."
