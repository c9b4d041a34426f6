"""Futures of a generated market: the crowd follows the price of the last day, and pays for it. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from math import tanh
from zlib import crc32

import numpy as np

PAID_EVERY = timedelta(hours=8)
"""From one payment of funding to the next, from midnight UTC on."""
_INTEREST = 0.0001
"""The rate of a market that goes nowhere, as at most venues."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeUp:
    """What futures are like at a moment.

    Attributes:
        funding: The rate at the next payment, as a fraction.
        interest: What is held, in candles' volumes of a day.
        long: The share of accounts that are long, in [0, 1].
    """

    funding: Decimal
    interest: float
    long: Decimal


def made_up(seed: int, symbol: str, at: datetime, move: float) -> MadeUp:
    """The futures of a market; the same for the same seed, market and hour.

    Args:
        seed: The generator's.
        symbol: The market.
        at: When.
        move: By which fraction the price has moved in the day before.
    """
    hour = int(at.timestamp()) // 3600
    noise = np.random.default_rng((seed, crc32(symbol.encode()), hour)).standard_normal(3)
    crowd = tanh(6 * move)
    long = min(max(0.52 + 0.14 * crowd + 0.01 * noise[0], 0.05), 0.95)
    return MadeUp(
        funding=Decimal(f"{_INTEREST + 0.0006 * crowd + 0.00003 * noise[1]:.8f}"),
        interest=max(0.8 + 0.5 * abs(crowd) + 0.03 * noise[2], 0.1),
        long=Decimal(f"{long:.4f}"),
    )


def next_payment(at: datetime) -> datetime:
    """When funding is paid next after a moment."""
    since = at - datetime(1970, 1, 1, tzinfo=UTC)
    return at + PAID_EVERY - since % PAID_EVERY
