"""The program on six markets in euros, written by hand: one trade that won, one that lost, one held, three questions.

Everything happens on a Sunday and the Monday after it, at speed ``max``. While a question is open the market goes 1:1,
at the prices of ``price_now``, and from ``STILL`` on it stands still for good.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from tests.fakes.program import Json

BEGIN = datetime(2024, 1, 1, tzinfo=UTC)
START, SUNDAY, MONDAY, LAST = 145, 147, 170, 174
"""Hours since then: of the first cycle, and of the candles that break out on each day and at last."""
ASKED = BEGIN + timedelta(hours=LAST + 1)
STILL = ASKED + timedelta(minutes=30)
OPENING = Decimal(10_000)
"""What the account begins with, in euros."""
CONTEXTS = {
    "trend": ("SOL/EUR", "ETH/EUR"),
    "swing": ("XRP/EUR",),
    "unsure": ("ADA/EUR", "LTC/EUR", "DOGE/EUR"),
}
"""The markets of each; the last one always asks."""
_RISE = 0.0075
"""By how much a market breaks out."""


@dataclass(frozen=True, kw_only=True)
class _Written:
    """A market.

    Attributes:
        breaks_out: The hour of its breakout.
        wick: How far it goes once, four hours later, as a fraction of its price: to the target, or to the stop.
        opens: By how much it opens higher at last.
    """

    price: float
    breaks_out: int
    wick: float = 0.0
    opens: float = 0.0

    def level(self, hour: int) -> float:
        """The price around which an hour's candle lies."""
        risen = _RISE if hour >= self.breaks_out else 0.0
        return self.price * (1 + risen + (self.opens if hour > LAST else 0.0))


_MARKETS = {
    "SOL/EUR": _Written(price=90.0, breaks_out=SUNDAY, wick=0.02),
    "XRP/EUR": _Written(price=0.52, breaks_out=SUNDAY, wick=-0.02),
    "ETH/EUR": _Written(price=2_100.0, breaks_out=MONDAY, opens=0.004),
    "ADA/EUR": _Written(price=0.48, breaks_out=LAST),
    "LTC/EUR": _Written(price=65.0, breaks_out=LAST),
    "DOGE/EUR": _Written(price=0.08, breaks_out=LAST),
}


def price_now(symbol: str) -> Decimal:
    """What a market trades at once it stands still."""
    return Decimal(_digits(_MARKETS[symbol].level(LAST + 1)))


def traded(folder: Path) -> Json:
    """What differs from ``program.write_config``; writes the candles of the markets into the folder."""
    momentum = {"strategy": "momentum", "timeframe": "1h", "higher": []}
    never = {"column": "rsi", "above": 100}
    return {
        "approval": {"auto_above": 0.85, "ask_above": 0.6, "expires_after": "12h", "max_price_drift": 0.05},
        "venue": {"balances": {"EUR": str(OPENING)}},
        "replay": {
            "data": [str(_write(folder, symbol)) for symbol in _MARKETS],
            "start": (BEGIN + timedelta(hours=START)).isoformat(),
            "end": STILL.isoformat(),
        },
        "contexts": [
            {"name": name, "markets": list(markets), "conditions": [never] * (name == "unsure"), **momentum}
            for name, markets in CONTEXTS.items()
        ],
    }


def _write(folder: Path, symbol: str) -> Path:
    file = folder / f"{symbol.replace('/', '_')}-1h.csv"
    with file.open("w", newline="") as out:
        rows = csv.writer(out)
        rows.writerow(("timestamp", "open", "high", "low", "close", "volume"))
        rows.writerows(_candles(_MARKETS[symbol]))
    return file


def _candles(market: _Written) -> list[tuple[str, ...]]:
    rows, before = [], market.level(0)
    usual = round(800_000_000 / market.price)
    for hour in range(LAST + 3):
        level = market.level(hour)
        close = level * (1.0004 if hour % 2 else 0.9996)
        far = market.wick * level if hour == market.breaks_out + 4 else 0.0
        wick = level * 0.00125
        prices = (before, max(before, close) + max(wick, far), min(before, close) - max(wick, -far), close)
        if hour > LAST:
            prices = (level,) * 4
        volume = usual * (2 if hour == market.breaks_out else 1)
        at = BEGIN + timedelta(hours=hour)
        rows.append((at.isoformat(), *map(_digits, prices), str(volume)))
        before = close
    return rows


def _digits(price: float) -> str:
    return f"{price:.6g}"
