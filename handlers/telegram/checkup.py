"""What can be found out about a bot on Telegram before it runs: its token, its chat, its updates and the clock."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

import httpx
from pydantic import SecretStr
from telegram import Bot
from telegram.error import InvalidToken, TelegramError

from engine.domain.errors import GreenlightError
from handlers.skew import agreed, ahead_of
from handlers.telegram.client import HideToken, make_client
from handlers.telegram.health import explained
from handlers.telegram.places import place_at

ANSWER_WITHIN = 5.0
"""Wall seconds the server has for one answer."""


class Checkup:
    """Looks, and changes nothing: a running bot on the same token does not notice.

    Every look says what is well, and raises a ``GreenlightError`` with what to do where something is not.

    Args:
        token: The bot's token; no text ever holds it.
        api_url: The root of the Bot API server.
        wall: This machine's clock.
        key: The setting that the token stands in.
    """

    def __init__(
        self, *, token: SecretStr, api_url: str, wall: Callable[[], datetime], key: str = "telegram.token"
    ) -> None:
        self._token = token
        self._api_url = api_url
        self._wall = wall
        self._key = key
        self._ahead: timedelta | None = None

    async def token(self) -> str:
        """The bot that the token belongs to."""
        variable = f"BOT_{self._key.replace('.', '__').upper()}"
        async with self._client(f"Take the token from @BotFather to {variable}; see that api_url is right."):
            pass
        return f"it is that of @{self._username}, at {self._api_url}"

    async def chat(self, chat_id: str) -> str:
        """The chat where cards go, which must let the bot in, and have topics where cards go into one."""
        place = place_at(chat_id)
        async with self._client("Press Start there or add the bot; set BOT_TELEGRAM__CHAT_ID to that chat.") as bot:
            chat = await bot.get_chat(place.chat)
        name = f"{chat.title or chat.full_name or chat.id} ({chat.type})"
        if place.topic is not None and not chat.is_forum:
            raise GreenlightError(f"{name} has no topics.", "Set BOT_TELEGRAM__CHAT_ID to the chat without the topic.")
        return f"cards go to {name}" if place.topic is None else f"cards go to topic {place.topic} of {name}"

    async def updates(self, ours: str = "") -> str:
        """Updates must come to us: no webhook may take them away from our polling, or none but ours may be set.

        Args:
            ours: The address of our own webhook; empty for polling.
        """
        async with self._client("Try again when Telegram answers.") as bot:
            hook = await bot.get_webhook_info()
        waiting = hook.pending_update_count
        if hook.url and hook.url == ours:
            if waiting and hook.last_error_message:
                raise GreenlightError(
                    f"Telegram cannot call {ours}: {hook.last_error_message}.",
                    "See that the bot runs, and that telegram.webhook_url leads to its web server.",
                )
            return f"our webhook is set, {waiting} messages wait"
        if hook.url:
            raise GreenlightError(
                "Another program has set a webhook for this bot: the bot would take it over.",
                "Stop that program, or give each its own bot.",
            )
        later = ": the start sets ours" if ours else ""
        return f"no webhook is set{later}, {waiting} messages wait"

    async def clock(self) -> str:
        """Telegram's time against this machine's: what is old is judged by it."""
        async with self._client("Try again when Telegram answers."):
            pass
        return agreed(self._ahead, "Telegram")

    @asynccontextmanager
    async def _client(self, remedy: str) -> AsyncIterator[Bot]:
        """The real client, which has asked the server who it is."""
        hide = HideToken(self._token)
        hide.begin()
        bot = make_client(self._token, self._api_url, ANSWER_WITHIN, on_response=self._compare)
        try:
            await bot.initialize()
            self._username = bot.username
            yield bot
        except TelegramError as error:
            # Not as its cause: the library's text may hold the token.
            text = "Telegram refuses the bot's token." if isinstance(error, InvalidToken) else explained(error)
            raise GreenlightError(text, remedy) from None
        finally:
            await bot.shutdown()
            hide.end()

    async def _compare(self, response: httpx.Response) -> None:
        self._ahead = ahead_of(response.headers.get("date"), self._wall())
