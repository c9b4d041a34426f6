"""How fast the bot may speak: what Telegram allows before it answers 429, kept on our side.

https://core.telegram.org/bots/faq#my-bot-is-hitting-limits-how-do-i-avoid-this: about one message a second in a chat,
20 a minute in a group, 30 a second over all. Short bursts are tolerated.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from engine.clocks import monotonic
from engine.ports import RetryAt
from handlers.pacing import Bucket, full

PATIENCE = 2.0
"""Seconds a message waits for its turn before it is given back with ``RetryAt``."""
BURST = 3
CHAT_BURST = 10
"""In a chat with one person; Telegram bears it, and says so when it does not."""
OVERALL_PER_SECOND = 30.0
GROUP_PER_MINUTE = 20


class Pacer:
    """Gives messages their turn, per chat and over all.

    Args:
        per_second: Messages a second in one chat.
        monotonic: Where its time comes from.
    """

    def __init__(self, *, per_second: float, monotonic: Callable[[], float] = monotonic) -> None:
        self._per_second = per_second
        self._monotonic = monotonic
        self._overall = full(OVERALL_PER_SECOND, OVERALL_PER_SECOND, monotonic())
        self._chats: dict[str, Bucket] = {}
        self._held: dict[str, float] = {}

    def hold(self, chat: str, seconds: float) -> None:
        """Let nothing into a chat for so long, because Telegram said so."""
        self._held[chat] = self._monotonic() + seconds

    async def turn(self, chat: str) -> None:
        """Wait for this message's turn, if that is soon.

        Raises:
            RetryAt: It is not soon.
        """
        wait = self.reserve(chat)
        if wait > 0:
            await asyncio.sleep(wait)

    def reserve(self, chat: str) -> float:
        """Reserve a turn and return the seconds until then.

        Raises:
            RetryAt: It would be longer than ``PATIENCE``, or Telegram holds the chat; nothing is reserved.
        """
        now = self._monotonic()
        if (held := self._held.get(chat, now) - now) > 0:
            raise RetryAt(held)
        buckets = (self._overall, self._bucket(chat, now))
        wait = max(bucket.wait(now) for bucket in buckets)
        if wait > PATIENCE:
            raise RetryAt(wait)
        for bucket in buckets:
            bucket.take()
        return wait

    def delay(self, chat: str, messages: int) -> float:
        """Seconds until so many further messages could all be in a chat; nothing is reserved."""
        now = self._monotonic()
        held = max(0.0, self._held.get(chat, now) - now)
        return max(held, *(bucket.wait(now, messages) for bucket in (self._overall, self._bucket(chat, now))))

    def _bucket(self, chat: str, now: float) -> Bucket:
        if chat not in self._chats:
            # With the burst, no minute sees more than a group may have.
            of_a_group = (GROUP_PER_MINUTE - BURST) / 60
            rate = min(self._per_second, of_a_group) if chat.startswith("-") else self._per_second
            burst = BURST if chat.startswith("-") else CHAT_BURST
            self._chats[chat] = full(rate, burst, now)
        return self._chats[chat]
