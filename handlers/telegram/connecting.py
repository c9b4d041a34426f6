"""What both ways of listening share: how they begin, and how they go on whatever happens."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import structlog
from telegram import Bot
from telegram.error import BadRequest, RetryAfter

from handlers.outages import Health, Outage
from handlers.telegram.health import explained, seconds

log = structlog.get_logger(__name__)

LISTENING = "listening"
"""Where trouble with hearing what people do is told."""


async def greet(bot: Bot, menu: Sequence[tuple[str, str]], health: Health) -> None:
    """Ask the server who we are, and put our commands into Telegram's own menu.

    Raises:
        TelegramError: It does not answer, or not us.
    """
    await bot.initialize()
    try:
        await bot.set_my_commands(menu)
    except BadRequest as error:
        health.trouble("menu", f"Telegram refuses the menu: {error.message}.")


async def keep_going(
    work: Callable[[], Awaitable[None]], *, health: Health, failed: Callable[[Exception], None]
) -> None:
    """Do something again and again until cancelled; what goes wrong is told, waited out, and tried again.

    Args:
        work: One round.
        health: Where trouble is told; the work says itself when it is well.
        failed: Called with what went wrong in a round.
    """
    outage = Outage()
    while True:
        error = await _failure(work)
        if error is None:
            outage.over()
            continue
        failed(error)
        health.trouble(LISTENING, explained(error), type(error).__name__)
        pause = outage.pause()
        await asyncio.sleep(max(pause, seconds(error)) if isinstance(error, RetryAfter) else pause)


async def _failure(work: Callable[[], Awaitable[None]]) -> Exception | None:
    """Do one round; return what went wrong.

    Returned, not raised: its frames know the token, and no traceback logged later may have it in its chain.
    """
    try:
        await work()
    except Exception as error:  # noqa: BLE001 - the edge of the program: an answer of theirs may be any nonsense
        return error
    return None
