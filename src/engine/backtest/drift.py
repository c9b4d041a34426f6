"""What an account traded against a backtest of the same time, trade by trade. Pure.

A trade is the same one where context, market and the candle that it was decided on are. What differs has its cause,
which the account's own records tell.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from engine.backtest.pairing import paired
from engine.domain.backtests import BacktestTrade, HeldAtEnd

_CLOSE_ENOUGH = 1e-6
"""Prices and quantities that differ by less, as a fraction, are the same: a backtest reckons in floats."""


class Key(NamedTuple):
    """What makes a trade the same one."""

    context: str
    symbol: str
    decided_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Traded:
    """A trade of either side.

    Attributes:
        id: Of the account's; empty for one of the backtest.
        quantity: What was bought.
        exit_price, closed_by: ``None`` and empty while it is held.
        net: After fees; of what is held, by the last close.
    """

    key: Key
    id: str
    opened_at: datetime
    quantity: float
    entry_price: float
    exit_price: float | None
    closed_by: str
    net: float

    @property
    def is_open(self) -> bool:
        """Whether it is still held."""
        return self.exit_price is None


class Kind(StrEnum):
    """How a trade stands to the other side."""

    SAME = "same"
    DIFFERENT = "different"
    MISSING = "missing"
    """The backtest has it, the account has not."""
    EXTRA = "extra"
    """The account has it, the backtest has not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """One trade on both sides; ``cause`` is empty where it is the same."""

    kind: Kind
    key: Key
    account: Traded | None
    backtest: Traded | None
    cause: str = ""


def of_backtest(each: BacktestTrade | HeldAtEnd) -> Traded:
    """A trade as a backtest tells it: it buys at the open that follows the candle it decides on."""
    key = Key(each.context, each.symbol, each.opened_at)
    if isinstance(each, HeldAtEnd):
        net = each.quantity * (each.price - each.entry_price)
        exit_price, closed_by = None, ""
    else:
        net, exit_price, closed_by = each.net, each.exit_price, each.reason
    return Traded(
        key=key,
        id="",
        opened_at=each.opened_at,
        quantity=each.quantity,
        entry_price=each.entry_price,
        exit_price=exit_price,
        closed_by=closed_by,
        net=net,
    )


def compared(
    account: Iterable[Traded],
    backtest: Iterable[Traded],
    missing_because: Callable[[Key], str],
    extra_because: Callable[[Traded], str],
    different_because: Callable[[Traded], str],
) -> tuple[Drift, ...]:
    """Both sides, trade by trade, in the order of their candles.

    Args:
        account: What was traded.
        backtest: What would have been.
        missing_because: Tells why the account did not trade on a candle.
        extra_because: Tells what made the account trade; empty where it was its strategy's word alone.
        different_because: Tells who made another trade of it; empty where nobody did.
    """
    held = tuple(backtest)
    sides = paired(account, held, lambda trade: trade.key)
    found = [_both(ours, theirs, different_because) for ours, theirs in sides.both]
    for each in sides.only_first:
        cause = extra_because(each) or _no_room(each.key, held)
        found.append(Drift(kind=Kind.EXTRA, key=each.key, account=each, backtest=None, cause=cause))
    for each in sides.only_second:
        cause = missing_because(each.key)
        found.append(Drift(kind=Kind.MISSING, key=each.key, account=None, backtest=each, cause=cause))
    return tuple(sorted(found, key=lambda each: (each.key.decided_at, each.key.context, each.key.symbol)))


def _both(account: Traded, backtest: Traded, because: Callable[[Traded], str]) -> Drift:
    differences = tuple(_differences(account, backtest))
    kind = Kind.DIFFERENT if differences else Kind.SAME
    cause = "; ".join(filter(None, (*differences, because(account)))) if differences else ""
    return Drift(kind=kind, key=account.key, account=account, backtest=backtest, cause=cause)


def _no_room(key: Key, held: Sequence[Traded]) -> str:
    """Why the backtest did not trade on a candle."""
    last = max(
        (each for each in held if each.key[:2] == key[:2] and each.opened_at < key.decided_at),
        key=lambda each: each.opened_at,
        default=None,
    )
    if last is None:
        return "the backtest made no entry there: other candles, its limits left no room, or it would have asked"
    return (
        "the backtest saw no entry there, or still held what it had bought at "
        f"{last.opened_at:%Y-%m-%d %H:%M}: the two have parted before"
    )


def _differences(account: Traded, backtest: Traded) -> Iterable[str]:
    if not _near(account.entry_price, backtest.entry_price):
        late = account.opened_at - account.key.decided_at
        after = f", {late.total_seconds() / 60:.0f} min after the close" if late.total_seconds() >= 60 else ""  # noqa: PLR2004 - a minute
        points = (account.entry_price / backtest.entry_price - 1) * 1e4
        yield f"bought at {account.entry_price:,.8g}, not {backtest.entry_price:,.8g} ({points:+.1f} bp{after})"
    if not _near(account.quantity, backtest.quantity):
        yield f"bought {account.quantity:.8g}, not {backtest.quantity:.8g}: another equity, price or limit"
    if account.closed_by != backtest.closed_by:
        yield f"{_ended(account)}, not {_ended(backtest)}"
    elif account.exit_price and backtest.exit_price and not _near(account.exit_price, backtest.exit_price):
        points = (account.exit_price / backtest.exit_price - 1) * 1e4
        yield f"sold at {account.exit_price:,.8g}, not {backtest.exit_price:,.8g} ({points:+.1f} bp)"


def _ended(trade: Traded) -> str:
    return "still held" if trade.is_open else f"closed by {trade.closed_by}"


def _near(one: float, other: float) -> bool:
    return abs(one - other) <= _CLOSE_ENOUGH * max(abs(one), abs(other))
