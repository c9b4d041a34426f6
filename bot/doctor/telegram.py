"""The bot on Telegram."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING

from bot.doctor.check import Case, Check
from config.settings import Settings

if TYPE_CHECKING:
    from handlers.telegram.checkup import Checkup


def _has_telegram(settings: Settings) -> bool:
    return settings.telegram.token is not None


def _telegram_token(case: Case) -> str:
    return _on_telegram(case, lambda checkup: checkup.token())


def _telegram_chat(case: Case) -> str:
    chat_id = case.settings.telegram.chat_id
    if not chat_id:
        return "none is set: the bot answers there, its cards go elsewhere"
    return _on_telegram(case, lambda checkup: checkup.chat(chat_id))


def _telegram_updates(case: Case) -> str:
    from handlers.telegram.webhook import address

    asked = case.settings.telegram
    ours = address(asked.webhook_url) if asked.mode == "webhook" and asked.webhook_url else ""
    return _on_telegram(case, lambda checkup: checkup.updates(ours))


def _telegram_clock(case: Case) -> str:
    return _on_telegram(case, lambda checkup: checkup.clock())


def _on_telegram(case: Case, look: Callable[[Checkup], Coroutine[None, None, str]]) -> str:
    from handlers.telegram.checkup import Checkup

    asked = case.settings.telegram
    if asked.token is None:
        return "off: no token is set"
    return asyncio.run(look(Checkup(token=asked.token, api_url=asked.api_url, wall=case.wall)))


CHECKS = (
    Check(name="telegram token", look=_telegram_token),
    Check(name="telegram chat", look=_telegram_chat, needs=("telegram token",), asked=_has_telegram),
    Check(name="telegram updates", look=_telegram_updates, needs=("telegram token",), asked=_has_telegram),
    Check(name="telegram clock", look=_telegram_clock, needs=("telegram token",), asked=_has_telegram),
)
