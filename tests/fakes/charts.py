"""Charts to draw: an equity curve, and a trade with everything that is marked."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from engine.domain.charts import EquityChart, Mark, Meaning, TradeChart, TradeMark, TradesChart

NOON = datetime(2026, 1, 3, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
HOSTILE = "<svg onload=x> $\\frac{1}{0}$ \x00\u202e\ud800 汉"


def equity_chart(*values: float, hold: tuple[float | None, ...] = ()) -> EquityChart:
    peaks = [max(values[: index + 1]) for index in range(len(values))]
    return EquityChart(
        title="Equity in USDT, 2026-01-03 to 2026-01-04",
        alt="from 1 to 2",
        start=values[0],
        times=tuple(NOON + index * HOUR for index in range(len(values))),
        equity=values,
        drawdown=tuple(1 - value / peak for value, peak in zip(values, peaks, strict=True)),
        hold=hold,
    )


def trade_chart(price: float = 20_000, *, stop: float = 0.98, target: float = 1.03, exit_: float = 1.03) -> TradeChart:
    """A trade over twenty candles, all prices as factors of the entry."""
    closes = [price * (1 + (index % 7 - 3) / 1000) for index in range(20)]
    levels = ((Meaning.STOP, stop), (Meaning.TARGET, target))
    return TradeChart(
        title="T3 BTC/USDT, candles of 1h",
        alt="entry, stop, target, exit",
        seconds=3600,
        times=tuple(NOON + index * HOUR for index in range(20)),
        open=tuple(closes[:1] + closes[:-1]),
        high=tuple(close * 1.002 for close in closes),
        low=tuple(close * 0.998 for close in closes),
        close=tuple(closes),
        marks=(
            *(
                Mark(
                    meaning=meaning,
                    label=f"{meaning.title()} {price * factor:.12g}",
                    price=price * factor,
                    begin=NOON + 5 * HOUR,
                    end=NOON + 18 * HOUR,
                )
                for meaning, factor in levels
            ),
            Mark(meaning=Meaning.ENTRY, label=f"Entry {price:.12g}", price=price, begin=NOON + 5 * HOUR),
            Mark(meaning=Meaning.EXIT, label="Exit", price=price * exit_, begin=NOON + 18 * HOUR),
        ),
    )


def trades_chart(price: float = 20_000, *, trades: int = 3) -> TradesChart:
    """Twenty candles with some trades of two hours each, every other one won; the last one is still open."""
    drawn = trade_chart(price)
    return TradesChart(
        title="BTC/USDT, 1h: some trades",
        alt="some trades",
        seconds=3600,
        times=drawn.times,
        open=drawn.open,
        high=drawn.high,
        low=drawn.low,
        close=drawn.close,
        trades=tuple(
            TradeMark(
                begin=NOON + 5 * index * HOUR,
                end=None if index == trades - 1 else NOON + (5 * index + 2) * HOUR,
                entry=price,
                exit=price * (1.001 if index % 2 else 0.999),
                is_won=bool(index % 2),
            )
            for index in range(trades)
        ),
    )
