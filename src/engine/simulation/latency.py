"""How long orders are under way to a venue that is only simulated."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from hashlib import blake2b

_MILLISECOND = timedelta(milliseconds=1)
"""What a feed tells times by."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Latency:
    """Between being sent and being there, in whole milliseconds; each length within is as likely.

    Attributes:
        least, most: The shortest and the longest; the same where every order takes as long.
    """

    least: timedelta = timedelta(0)
    most: timedelta = timedelta(0)

    def of(self, client_id: str) -> timedelta:
        """How long an order takes: always as long, whatever was sent before it."""
        lengths = (self.most - self.least) // _MILLISECOND + 1
        drawn = int.from_bytes(blake2b(client_id.encode(), digest_size=8).digest(), "big")
        return self.least + drawn % lengths * _MILLISECOND

    def __bool__(self) -> bool:
        """Whether anything takes any time."""
        return bool(self.most)


AT_ONCE = Latency()
"""Every order is there when it is sent."""
