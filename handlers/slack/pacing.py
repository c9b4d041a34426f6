"""How fast the bot may speak: what Slack allows before it answers 429, kept on our side.

https://docs.slack.dev/apis/web-api/rate-limits: about one message a second in a channel, short bursts tolerated;
``chat.update`` 50 times a minute or a little more, ``chat.postEphemeral`` and ``views.publish`` 100.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from engine.clocks import monotonic
from engine.ports import RetryAt
from handlers.pacing import Bucket, full

PATIENCE = 2.0
"""Seconds a call waits for its turn before it is given back with ``RetryAt``."""
BURST = 3.0
EDIT, HOME = "edit", "home"
PER_MINUTE = {EDIT: 50, HOME: 100}
EDIT_BURST = 20.0
"""Of a minute's calls, so many may come at once."""


class Pacer:
    """Gives calls their turn: new messages by channel, edits and homes over all.

    Args:
        per_second: Messages a second in one channel.
        monotonic: Where its time comes from.
    """

    def __init__(self, *, per_second: float, monotonic: Callable[[], float] = monotonic) -> None:
        self._per_second = per_second
        self._monotonic = monotonic
        self._buckets: dict[str, Bucket] = {}
        self._held = monotonic()

    def hold(self, seconds: float) -> None:
        """Let nothing through for so long, because Slack said so."""
        self._held = max(self._held, self._monotonic() + seconds)

    async def turn(self, of: str) -> None:
        """Wait for a call's turn, if that is soon.

        Args:
            of: A channel for a new message there, ``EDIT`` or ``HOME``.

        Raises:
            RetryAt: It is not soon.
        """
        wait = self.reserve(of)
        if wait > 0:
            await asyncio.sleep(wait)

    def reserve(self, of: str) -> float:
        """Reserve a turn and return the seconds until then.

        Raises:
            RetryAt: It would be longer than ``PATIENCE``, or Slack holds everything; nothing is reserved.
        """
        now = self._monotonic()
        if self._held > now:
            raise RetryAt(self._held - now)
        bucket = self._buckets.setdefault(of, self._new(of, now))
        wait = bucket.wait(now)
        if wait > PATIENCE:
            raise RetryAt(wait)
        bucket.take()
        return wait

    def _new(self, of: str, now: float) -> Bucket:
        if of in PER_MINUTE:
            # With the burst, no minute sees more than Slack allows.
            return full((PER_MINUTE[of] - EDIT_BURST) / 60, EDIT_BURST, now)
        return full(self._per_second, BURST, now)
