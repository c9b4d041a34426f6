"""How fast the bot may speak on Slack.

https://docs.slack.dev/apis/web-api/rate-limits: about one message a second in a channel, short bursts tolerated;
``chat.update`` 50 times a minute or a little more, ``chat.postEphemeral`` and ``views.publish`` 100.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from engine.timing.clocks import monotonic
from handlers.pacing import Pacer, Rate

BURST = 3.0
EDIT, HOME = "edit", "home"
PER_MINUTE = {EDIT: 50, HOME: 100}
EDIT_BURST = 20.0
"""Of a minute's calls, so many may come at once."""


def make_pacer(*, per_second: float, monotonic: Callable[[], float] = monotonic) -> Pacer:
    """Gives calls their turn: new messages by channel, ``EDIT`` and ``HOME`` over all.

    Args:
        per_second: Messages a second in one channel.
        monotonic: Where its time comes from.
    """

    def rates(of: str) -> Mapping[str, Rate]:
        if of in PER_MINUTE:
            # With the burst, no minute sees more than Slack allows.
            return {of: Rate(per_second=(PER_MINUTE[of] - EDIT_BURST) / 60, burst=EDIT_BURST)}
        return {of: Rate(per_second=per_second, burst=BURST)}

    return Pacer(rates, monotonic)
