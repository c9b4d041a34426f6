"""What a fake venue lets an address and an account do within a time: weight, orders, and bans for those who go on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(kw_only=True)
class Refusal:
    """429 or 418, with the seconds after which one may come again."""

    status: int
    code: int
    message: str
    retry_after: int


@dataclass(kw_only=True)
class Limits:
    """Counts by the venue's clock, in whole minutes and tens of seconds as Binance does.

    Args:
        now_ms: The venue's clock.
    """

    now_ms: Callable[[], int]
    weight: int = 6000
    orders: int = 100
    """Orders within ten seconds."""
    patience: int = 5
    """How many calls after a 429, before its time is over, lead to a ban."""
    ban_seconds: int = 120
    used: int = 0
    ordered: int = 0
    banned_until: int = 0
    calls_while_banned: int = 0
    refused: int = 0
    """How many calls were answered with 429."""
    _minute: int = field(default=0, repr=False)
    _ten: int = field(default=0, repr=False)
    _quiet_until: int = field(default=0, repr=False)
    _ignored: int = field(default=0, repr=False)

    def ban(self, seconds: int) -> None:
        """Let nothing through for a time; each call meanwhile makes it longer by as much again."""
        self.banned_until = self.now_ms() + seconds * 1000
        self.ban_seconds = seconds

    def quiet(self, seconds: int) -> None:
        """Answer 429 for a time, whatever is asked."""
        self._quiet_until = self.now_ms() + seconds * 1000

    def count(self, weight: int, *, is_order: bool) -> Refusal | None:
        """Count a call; the refusal where it is one too many."""
        now = self.now_ms()
        self._roll(now)
        if now < self.banned_until:
            self.calls_while_banned += 1
            self.banned_until += self.ban_seconds * 1000
            return self._banned(now)
        self.used += weight
        if now < self._quiet_until or self.used > self.weight:
            return self._slow_down(now)
        if is_order:
            self.ordered += 1
            if self.ordered > self.orders:
                self.refused += 1
                words = f"Too many new orders; current limit is {self.orders} orders per 10 SECOND."
                return Refusal(status=429, code=-1015, message=words, retry_after=-(-(10_000 - now % 10_000) // 1000))
        return None

    def _roll(self, now: int) -> None:
        if now // 60_000 != self._minute:
            self._minute, self.used = now // 60_000, 0
        if now // 10_000 != self._ten:
            self._ten, self.ordered = now // 10_000, 0
        if now >= self._quiet_until and self.used <= self.weight:
            self._ignored = 0

    def _slow_down(self, now: int) -> Refusal:
        self.refused += 1
        self._ignored += 1
        if self._ignored > self.patience:
            self.ban(self.ban_seconds)
            return self._banned(now)
        until = self._quiet_until if now < self._quiet_until else (now // 60_000 + 1) * 60_000
        words = f"Too much request weight used; current limit is {self.weight} request weight per 1 MINUTE."
        return Refusal(status=429, code=-1003, message=words, retry_after=-(-(until - now) // 1000))

    def _banned(self, now: int) -> Refusal:
        words = f"Way too much request weight used; IP banned until {self.banned_until}."
        return Refusal(status=418, code=-1003, message=words, retry_after=-(-(self.banned_until - now) // 1000))
