"""What would be said of a generated market: headlines that follow its price, and an index of its mood. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from math import tanh
from zlib import crc32

import numpy as np

OFTEN = 0.3
"""How likely there is a headline on a market in an hour in which it lies still; more so where it moves."""
_STILL = 0.01
"""A day's move below this, as a fraction, is none."""
_UP = (
    "{coin} gains {move}% in a day as buyers return",
    "{coin} rallies {move}%, and traders see more to come",
    "Analysts turn bullish on {coin} after its rise of {move}%",
    "{coin} breaks out with a strong gain of {move}%",
)
_DOWN = (
    "{coin} loses {move}% in a day as sellers take over",
    "{coin} slides {move}%, and traders cut their positions",
    "Fear returns to {coin} after its fall of {move}%",
    "{coin} drops {move}%, liquidations weigh on the price",
)
_FLAT = (
    "{coin} goes sideways while traders wait for news",
    "{coin} holds its range, and little is traded",
    "Traders of {coin} wait for the next report",
    "Volume of {coin} stays where it was, says a report",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeUpHeadline:
    """A headline, and how many seconds after its hour began it was published."""

    title: str
    after: int


def made_up_headline(seed: int, coin: str, hour: datetime, move: float) -> MadeUpHeadline | None:
    """What is written in an hour, or nothing; the same for the same seed, coin and hour.

    Args:
        seed: The generator's.
        coin: How the coin is called.
        hour: When the hour began.
        move: By which fraction the price has moved in the day before that.
    """
    chance = _chance(seed, coin, hour)
    crowd = tanh(6 * move)
    if chance.random() > OFTEN + 0.4 * abs(crowd):
        return None
    is_told = abs(move) >= _STILL and chance.random() < 0.5 + 0.5 * abs(crowd)
    said = (_UP if move > 0 else _DOWN) if is_told else _FLAT
    title = said[int(chance.integers(len(said)))].format(coin=coin, move=f"{abs(move) * 100:.1f}")
    return MadeUpHeadline(title=title, after=int(chance.integers(3_600)))


def made_up_index(seed: int, day: datetime, moves: Sequence[float]) -> int:
    """The mood of all markets on a day, from 0, extreme fear, to 100, extreme greed.

    Args:
        seed: The generator's.
        day: When the day began.
        moves: By which fraction each market moved in the time before that.
    """
    crowd = tanh(3 * sum(moves) / len(moves)) if moves else 0.0
    noise = _chance(seed, "", day).standard_normal()
    return round(min(max(50 + 40 * crowd + 4 * noise, 0), 100))


def _chance(seed: int, name: str, at: datetime) -> np.random.Generator:
    return np.random.default_rng((seed, crc32(f"mood {name}".encode()), int(at.timestamp()) // 3_600))
