"""Cards and pictures as Telegram messages, through aiogram."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from aiogram import Bot
from aiogram.enums import ParseMode
from aiogram.exceptions import TelegramRetryAfter
from aiogram.types import BufferedInputFile

from engine.domain.messages import Card
from handlers.cards.telegram_html import render
from handlers.charts.illustrating import Illustrated

T = TypeVar("T")

TRIES = 3
"""How often a message that Telegram asks to hold back is tried."""


class Sender:
    """Sends what followers see."""

    def __init__(self, bot: Bot) -> None:
        self._bot = bot

    async def send(self, chat: str, shown: Card | Illustrated) -> None:
        """Send a card as text, one with a picture as a photo with its text below.

        Raises:
            AiogramError: It could not be sent.
        """
        match shown:
            case Illustrated(card=card, png=b""):
                await self.send(chat, card)
            case Illustrated(card=card, png=png):
                caption = render(card)[0].html
                photo = BufferedInputFile(png, filename="equity.png")
                await _patiently(lambda: self._bot.send_photo(chat, photo, caption=caption, parse_mode=ParseMode.HTML))
            case Card():
                for part in render(shown):
                    await self._text(chat, part.html)

    async def _text(self, chat: str, html: str) -> None:
        await _patiently(lambda: self._bot.send_message(chat, html, parse_mode=ParseMode.HTML))


async def _patiently(request: Callable[[], Awaitable[T]]) -> T:
    """Send, waiting as long as Telegram asks for.

    Raises:
        AiogramError: It could not be sent.
    """
    for _ in range(TRIES - 1):
        try:
            return await request()
        except TelegramRetryAfter as error:
            await asyncio.sleep(error.retry_after)
    return await request()
