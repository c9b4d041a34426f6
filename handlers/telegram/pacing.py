"""How fast the bot may speak on Telegram.

https://core.telegram.org/bots/faq#my-bot-is-hitting-limits-how-do-i-avoid-this: about one message a second in a chat,
20 a minute in a group, 30 a second over all. Short bursts are tolerated.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from engine.timing.clocks import monotonic
from handlers.pacing import EVERYTHING, Pacer, Rate

BURST = 3
CHAT_BURST = 10
"""In a chat with one person; Telegram bears it, and says so when it does not."""
OVERALL_PER_SECOND = 30.0
GROUP_PER_MINUTE = 20


def make_pacer(*, per_second: float, monotonic: Callable[[], float] = monotonic) -> Pacer:
    """Gives messages their turn, per chat and over all.

    Args:
        per_second: Messages a second in one chat.
        monotonic: Where its time comes from.
    """
    overall = Rate(per_second=OVERALL_PER_SECOND, burst=OVERALL_PER_SECOND)
    chat_rate = Rate(per_second=per_second, burst=CHAT_BURST)
    # With the burst, no minute sees more than a group may have.
    group_rate = Rate(per_second=min(per_second, (GROUP_PER_MINUTE - BURST) / 60), burst=BURST)

    def rates(chat: str) -> Mapping[str, Rate]:
        return {EVERYTHING: overall, chat: group_rate if chat.startswith("-") else chat_rate}

    return Pacer(rates, monotonic)
